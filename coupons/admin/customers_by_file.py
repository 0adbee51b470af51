"""Entering and binding many customers by a file, from the list of customers: the form. What becomes of a file stands on
its own page (`customer_files`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from coupons import binding, customer_files
from merchants import bindings
from merchants.admin.dialogs import go_to
from merchants.models import Customer, CustomerFile, Merchant
from merchants.scopes import visible_merchants
from merchants.tables import MOST_BYTES, MOST_ROWS, TableError

MOST_TYPED = 500_000  # characters in the text field; a form's fields together may have 2.5 MB


def _most() -> str:
    return gettext("At most %(rows)s rows and %(megabytes)s MB.") % {
        "rows": f"{MOST_ROWS:,}",
        "megabytes": MOST_BYTES >> 20,
    }


class ByFileForm(forms.Form):
    """Asks for the merchant and for the rows."""

    merchant = forms.ModelChoiceField(
        label=_("Merchant"), queryset=Merchant.objects.none(), widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(
        label=_("CSV or XLSX file"), required=False, widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.xlsx,.txt"})
    )  # fmt: skip
    text = forms.CharField(
        label=_("or paste the rows here"), required=False, max_length=MOST_TYPED, strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6, "placeholder": "13800138000\toExample0000000000000000001"}),
        help_text=_("Straight from a spreadsheet. Without headings: identifier, (mobile,) openid."),
    )  # fmt: skip
    adds_unknown = forms.BooleanField(
        label=_("Enter customers who are not known yet"), required=False, initial=True,
        widget=UnfoldBooleanSwitchWidget, help_text=_("Otherwise such rows are listed as mistakes."),
    )  # fmt: skip

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = visible_merchants(request.user).order_by("name")
        merchants: Any = self.fields["merchant"]
        merchants.queryset = own
        if len(only := list(own[:2])) == 1:
            merchants.initial = only[0]
        self.fields["file"].help_text = _most()

    def clean(self) -> dict[str, Any]:
        """A file or a text, not both and not neither."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if file and text.strip():
            self.add_error("text", _("Choose a file or paste the rows, not both."))
        elif not file and not text.strip() and not {"file", "text"} & self.errors.keys():
            self.add_error("file", _("Choose a file, or paste the rows below."))
        return cleaned

    def begin(self, by: Any, *, may_add: bool) -> CustomerFile | None:
        """Take over what was sent; what is wrong with it stands at the field it came from."""
        data = self.cleaned_data
        field = "file" if data["file"] else "text"
        try:
            return customer_files.begin(
                data["merchant"], data[field], adds_unknown=data["adds_unknown"] and may_add,
                name=getattr(data["file"], "name", ""), by=by,
            )  # fmt: skip
        except TableError as error:
            self.add_error(field, str(error))
            return None


class BindingByFile:
    """The button on the list of customers, and the form behind it."""

    actions_list = ("bind_by_file",)
    admin_site: Any
    model: Any
    has_change_permission: Any
    has_add_permission: Any

    def get_urls(self) -> list[Any]:
        """The address of the example."""
        example = self.admin_site.admin_view(self.example)
        return [
            path("by-file/example.csv", example, name="merchants_customer_by_file_example"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @action(description=_("Bind by file"), url_path="by-file", permissions=["change"], icon="upload_file")
    def bind_by_file(self, request: HttpRequest) -> HttpResponse:
        """The form; then the file's own page, where a small one is checked already."""
        form = ByFileForm(request.POST or None, request.FILES or None, request=request)
        if request.method == "POST" and form.is_valid():
            file = form.begin(request.user, may_add=bool(self.has_add_permission(request)))
            if file is not None:
                customer_files.work_here(file)
                return go_to(request, file)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": gettext("Bind customers by file"),
            "form": form,
            "example": reverse("admin:merchants_customer_by_file_example"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/merchants/customer/by_file.html", context)

    def example(self, request: HttpRequest) -> HttpResponse:
        """A file to begin with, as Excel opens it rightly."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        content = "\ufeff" + bindings.EXAMPLE
        headers = {"Content-Disposition": 'attachment; filename="customers-example.csv"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


@contextmanager
def telling_what_goes_out(request: HttpRequest, customer: Customer) -> Iterator[None]:
    """While one customer is saved: say how many coupons that waited went out for it."""
    waiting = binding.waiting_for([customer.pk]) if customer.pk else []
    yield
    if waiting and (released := binding.released_of(waiting)):
        messages.success(request, gettext("Deliveries released: %(count)s") % {"count": released})
