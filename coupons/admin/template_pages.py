"""What the page of a template asks of the portal while its form is filled in: the merchant's shops and the preview."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_POST

from coupons.admin.previewing import preview_of, preview_of_typed
from coupons.admin.template_form import shops_of
from merchants.scopes import visible_merchants


class TemplatePages:
    """Addresses beside those of the admin's own pages, for whoever may add or change templates."""

    class Media:
        js = ("portal/preview.js",)

    change_form_outer_before_template = "admin/coupons/coupontemplate/aside.html"
    admin_site: Any
    visible_or_404: Any

    def get_urls(self) -> list[Any]:
        """They stand before those that look like a row's address."""
        own = [
            path("shops/", self._checked(require_GET(self.shops)), name="coupons_coupontemplate_shops"),
            path("preview/", self._checked(require_POST(self.preview)), name="coupons_coupontemplate_preview"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def shops(self, request: HttpRequest) -> HttpResponse:
        """The shops of one of the user's merchants, for the picker."""
        pk = request.GET.get("merchant", "")
        merchant = visible_merchants(request.user).filter(pk=int(pk)).first() if pk.isdecimal() else None
        if merchant is None:
            raise Http404
        return JsonResponse({"shops": [{"id": key, "name": name} for key, name in shops_of(merchant)]})

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The card of what is being typed; `?template=` is the primary key of one that exists."""
        pk = request.GET.get("template")
        template = self.visible_or_404(request, pk) if pk else None
        form_class = self.get_form(request, template, change=template is not None)  # type: ignore[attr-defined]
        form = form_class(request.POST, instance=template)
        context = {"preview": preview_of_typed(form)}
        return render(request, "admin/coupons/coupontemplate/preview.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """The card beside the form: drawn by the browser where something can be typed, else of what is stored."""
        template = kwargs.get("obj")
        address = reverse("admin:coupons_coupontemplate_preview")
        if template is None:
            context["preview_address"] = address
        elif self.has_change_permission(request, template):  # type: ignore[attr-defined]
            context["preview_address"] = f"{address}?template={template.pk}"
        if template is not None and request.method == "GET":
            context["preview"] = preview_of(template)
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return answer

    def _checked(self, view: Any) -> Any:
        def permitted(request: HttpRequest) -> HttpResponse:
            may_type = self.has_add_permission(request) or self.has_change_permission(request)  # type: ignore[attr-defined]
            if not may_type:
                raise PermissionDenied
            answer: HttpResponse = view(request)
            return answer

        return self.admin_site.admin_view(permitted)
