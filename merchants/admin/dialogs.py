"""Actions that ask first: Unfold's dialogs and, for selected rows, a page that says how many it will be.

A dialog is opened by GET and acts by POST, so that no link changes anything.
"""

from typing import Any

from django import forms
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

MOST_AT_ONCE = 1000


class ReasonForm(BaseDialogForm):
    """Asks why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text=_("It is kept in the coupon's history."),
    )  # fmt: skip


def dialog(
    title: Any, description: Any, submit: Any, form_class: type[BaseDialogForm] = BaseDialogForm
) -> ActionDialog:
    """What a dialog says and asks."""
    return ActionDialog(title=title, description=description, form_class=form_class, form_submit_text=submit)


def go(request: HttpRequest, address: str) -> HttpResponse:
    """Leave a dialog for a page, with or without JavaScript."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def go_to(request: HttpRequest, row: Any) -> HttpResponse:
    """Leave a dialog for a row's page."""
    return go(request, reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))


def ask_again(request: HttpRequest, form: BaseDialogForm, asked: ActionDialog) -> HttpResponse:
    """Show the dialog once more, with the errors that the form has got since."""
    context = {"dialog": asked, "form": form, "form_submit_text": asked["form_submit_text"]}
    return render(request, "unfold/helpers/dialog.html", context)


def confirm(
    model_admin: Any,  # a ModelAdmin, or a mixin of one
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    title: str,
    warning: str,
    submit: str,
    form: forms.Form | None = None,
) -> TemplateResponse | None:
    """A page that asks whether the action shall be done to so many rows; None once the user has said yes there."""
    if "confirmed" in request.POST and (form is None or form.is_valid()):
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": title,
        "warning": warning,
        "submit_text": submit,
        "form": form,
        "count": rows.count(),
        "shown": rows[:20],
        "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "action": request.POST.get("action", ""),
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/confirm_action.html", context)
