"""Dialogs whose act may need a second person: they say so before, name who can approve it, and ask why.

The service decides (`coupons.approvals.limits`). A dialog asks it beforehand, so that one button acts or asks.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from coupons.admin.approval_words import approvers_words, value_words
from coupons.admin.doing import do
from coupons.approvals.limits import Need
from coupons.models import Approval
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.noting import note
from merchants.models import Merchant

ASK = dialog(
    _("Ask a second person?"),
    _("Nothing happens yet: it waits until somebody else has read it and said yes."),
    _("Ask for approval"),
)


def why_field() -> forms.CharField:
    """Asks why, for whoever approves."""
    return forms.CharField(
        label=_("Why"), max_length=200, widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text=_("Whoever approves reads it."),
    )  # fmt: skip


class WhyForm(forms.Form):
    """The same on a page."""

    NAME = "approval-reason"
    reason = why_field()

    def add_prefix(self, field_name: str) -> str:
        """Apart from the fields of the form that the page keeps."""
        return f"approval-{field_name}"


class MayWait(BaseDialogForm):
    """Turns into a request where the act needs a second person."""

    def __init__(self, request: HttpRequest, object_id: str | None = None, **options: Any) -> None:
        super().__init__(request, object_id, **options)
        self.merchant: Merchant | None = None
        self.need: Need | None = self.find_need()
        if self.need is None:
            return
        self.asked = ASK
        self.fields["reason"] = why_field()

    def find_need(self) -> Need | None:
        """Whether the user needs a second person for it; sets `merchant`."""
        raise NotImplementedError

    def render_before_template(self) -> str:
        """What the action's own dialog shows, and that it will wait."""
        own = super().render_before_template()
        if self.need is None or self.merchant is None:
            return own
        return own + render_to_string(
            "admin/coupons/approval/asking.html", need_context(self.need, self.merchant, self.request)
        )


def need_context(need: Need, merchant: Merchant, request: HttpRequest) -> dict[str, Any]:
    """Why a second person is needed, and who it can be."""
    return {
        "limit": need.words,
        "number": need.coupons,
        "count": None if need.coupons is None else f"{need.coupons:,}",
        "earlier": f"{need.earlier:,}" if need.earlier else "",
        "value": value_words(need.value_fen),
        "who": approvers_words(merchant, request.user),
    }


def act_or_ask(
    request: HttpRequest,
    form: MayWait,
    *,
    act: Callable[[], Any],
    ask: Callable[[str], Approval],
    done: str,
) -> Approval | bool:
    """Do it, or ask a second person with the reason that was given; says what came of it.

    Returns:
        The request, or whether it was done.
    """
    if form.need is None:
        return do(request, act, done=done)
    made: list[Approval] = []
    reason = form.cleaned_data["reason"]
    do(request, lambda: made.append(ask(reason)), done=gettext("Your request waits for a second person."))
    return made[0] if made else False


def note_asked(request: HttpRequest, approval: Approval) -> None:
    """In the history of what it is about; the trail tells of the request by itself."""
    for row in (approval.template, approval.batch):
        if row is not None:
            note(request, row, _("Asked for approval: %(request)s."), request=approval)


def go_on(request: HttpRequest, came_of_it: Approval | bool, row: Any) -> Any:
    """To the request where one was made, else to the row."""
    if isinstance(came_of_it, Approval):
        note_asked(request, came_of_it)
    return go_to(request, came_of_it if isinstance(came_of_it, Approval) else row)
