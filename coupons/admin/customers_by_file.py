"""Binding many customers by a file, from the list of customers: a form, what it would do, and slices that do it.

The browser posts the sealed slices one after another (`config/static/portal/by-file.js`), so that a long file shows its
progress, and one that breaks off is simply taken up again: what was bound is the same the second time.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from coupons import binding
from coupons.admin.by_file_words import bad_rows, plan_context
from merchants import bindings
from merchants.bindings import Entry, Planned, SealBroken, Verdict
from merchants.models import Customer, Merchant
from merchants.scopes import visible_merchants
from merchants.tables import TableError

MOST_TYPED = 500_000  # characters in the text field; a form's fields together may have 2.5 MB


class ByFileForm(forms.Form):
    """Asks for the merchant and for the rows."""

    merchant = forms.ModelChoiceField(
        label=_("Merchant"), queryset=Merchant.objects.none(), widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(
        label=_("CSV or XLSX file"), required=False, widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.xlsx,.txt"}),
        help_text=_("At most 20,000 rows and 5 MB."),
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

    def clean(self) -> dict[str, Any]:
        """Read the rows; what is wrong with them stands at the field they came from."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if file and text.strip():
            self.add_error("text", _("Choose a file or paste the rows, not both."))
        elif not file and not text.strip():
            self.add_error("file", _("Choose a file, or paste the rows below."))
        elif "text" not in self.errors:
            try:
                cleaned["entries"] = list(bindings.entries_of(file or text))
            except TableError as error:
                self.add_error("file" if file else "text", str(error))
        return cleaned


class BindingByFile:
    """The button on the list of customers, and the pages behind it."""

    actions_list = ("bind_by_file",)
    admin_site: Any
    model: Any
    has_change_permission: Any
    has_add_permission: Any

    def get_urls(self) -> list[Any]:
        """The addresses that the pages use themselves."""
        guarded = self.admin_site.admin_view
        return [
            path("by-file/slice/", guarded(require_POST(self.apply_slice)), name="merchants_customer_by_file_slice"),
            path("by-file/example.csv", guarded(self.example), name="merchants_customer_by_file_example"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @action(description=_("Bind by file"), url_path="by-file", permissions=["change"], icon="upload_file")
    def bind_by_file(self, request: HttpRequest) -> HttpResponse:
        """The form; then what the rows would do, with nothing done yet."""
        form = ByFileForm(request.POST or None, request.FILES or None, request=request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": gettext("Bind customers by file"),
            "form": form,
            "example": reverse("admin:merchants_customer_by_file_example"),
        }
        request.current_app = self.admin_site.name
        if request.method == "POST" and form.is_valid():
            merchant, adds = form.cleaned_data["merchant"], form.cleaned_data["adds_unknown"]
            planned = bindings.plan(merchant, form.cleaned_data["entries"], adds_unknown=adds and self._adds(request))
            context |= plan_context(request, merchant, planned) | self._slices(request, merchant, planned)
            return TemplateResponse(request, "admin/merchants/customer/by_file_plan.html", context)
        return TemplateResponse(request, "admin/merchants/customer/by_file.html", context)

    def apply_slice(self, request: HttpRequest) -> JsonResponse:
        """Apply one sealed slice, and say what came of it. 409: nothing was done, the same may be sent again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        user: Any = request.user
        try:
            opened = bindings.unseal(request.POST.get("slice", ""), user_id=user.pk)
        except SealBroken:
            return JsonResponse({"error": gettext("This check is too old. Check the file once more.")}, status=400)
        merchant = visible_merchants(request.user).filter(pk=opened.merchant_id).first()
        if merchant is None:
            return JsonResponse({"error": gettext("You may not see this merchant any more.")}, status=404)
        try:
            with transaction.atomic():
                adds = opened.adds_unknown and self._adds(request)
                applied = binding.apply(merchant, opened.entries, adds_unknown=adds)
                _log(user.pk, applied)
        except OperationalError:  # a deadlock with the portal's own work, or no database for a moment
            return JsonResponse({"error": gettext("The database was busy.")}, status=409)
        return JsonResponse(
            {
                "created": len(applied.created),
                "changed": len(applied.changed),
                "equal": applied.equal,
                "released": applied.released,
                "refused": bad_rows(applied.refused),
            }
        )

    def example(self, request: HttpRequest) -> HttpResponse:
        """A file to begin with, as Excel opens it rightly."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        content = "\ufeff" + bindings.EXAMPLE
        headers = {"Content-Disposition": 'attachment; filename="customers-example.csv"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)

    def _adds(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request))

    def _slices(self, request: HttpRequest, merchant: Merchant, planned: list[Planned]) -> dict[str, Any]:
        """What is to be done, sealed, and the texts that the browser shows meanwhile."""
        todo: list[Entry] = [one.entry for one in planned if one.verdict in (Verdict.NEW, Verdict.CHANGE)]
        adds = any(one.verdict == Verdict.NEW for one in planned)
        user: Any = request.user
        parts = [todo[start : start + binding.SLICE] for start in range(0, len(todo), binding.SLICE)]
        sealed = [bindings.seal(part, user_id=user.pk, merchant_id=merchant.pk, adds_unknown=adds) for part in parts]
        return {
            "slices": {
                "address": reverse("admin:merchants_customer_by_file_slice"),
                "equal": sum(one.verdict == Verdict.EQUAL for one in planned),
                "parts": [{"rows": len(part), "sealed": text} for part, text in zip(parts, sealed, strict=True)],
            },
            "todo": len(todo),
        }


@contextmanager
def telling_what_goes_out(request: HttpRequest, customer: Customer) -> Iterator[None]:
    """While one customer is saved: say how many coupons that waited went out for it."""
    waiting = binding.waiting_for([customer.pk]) if customer.pk else []
    yield
    if waiting and (released := binding.released_of(waiting)):
        messages.success(request, gettext("Deliveries released: %(count)s") % {"count": released})


def _log(user_id: int, applied: binding.Applied) -> None:
    """The same record that saving each of them by hand leaves, without any value."""
    created = [_entry(user_id, customer, ADDITION, {"added": {}}) for customer in applied.created]
    changed = [
        _entry(user_id, one.customer, CHANGE, {"changed": {"fields": list(one.changes)}})
        for one in applied.changed
        if one.customer is not None
    ]
    LogEntry.objects.bulk_create([*created, *changed])


def _entry(user_id: int, customer: Customer, flag: int, said: dict[str, Any]) -> LogEntry:
    return LogEntry(
        user_id=user_id,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.pk),
        object_repr=str(customer)[:200],
        action_flag=flag,
        change_message=json.dumps([said]),
    )
