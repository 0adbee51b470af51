"""The buttons of a template's page about dfire: tell it now, and look at what it has. Both are the extension's work."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from coupons.admin import template_dialogs as dialogs
from coupons.admin.extension import DfireSide, dfire_side
from merchants.admin.dialogs import go_to

SYNC = "coupons.publish_coupontemplate"  # who may publish tells dfire, too


class TemplateAtDfire:
    """Two actions; both are offered once there is a published version."""

    admin_site: Any
    model: Any
    visible_or_404: Any
    log_change: Any

    @action(
        description=_("Sync now"), url_path="sync", permissions=["sync"], icon="sync", dialog=dialogs.SYNC
    )  # fmt: skip
    def sync_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Have dfire told at once."""
        template = self.visible_or_404(request, object_id)
        messages.info(request, _side().tell_now(template))
        self.log_change(request, template, _("Had dfire told again."))
        return go_to(request, template)

    @action(description=_("Compare with dfire"), url_path="compare", permissions=["compare"], icon="compare_arrows")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask dfire, and show both sides. Nothing is changed anywhere."""
        template = self.visible_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": template,
            "title": gettext("Compare with dfire"),
            "template": template,
            "comparison": _side().compare(template),
            "may_sync": self.has_sync_permission(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/coupons/coupontemplate/compare.html", context)

    def has_sync_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may have dfire told."""
        return dfire_side() is not None and request.user.has_perm(SYNC)

    def has_compare_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may look at what dfire has."""
        return dfire_side() is not None and self.has_view_permission(request)  # type: ignore[attr-defined]


def _side() -> DfireSide:
    side = dfire_side()
    if side is None:
        raise Http404
    return side
