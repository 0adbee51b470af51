"""What staff do with a request: approve, refuse, withdraw. Each asks once; the services judge who may."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from coupons.admin.approval_words import numbers_words
from coupons.admin.doing import do
from coupons.approvals import asking, deciding, people
from coupons.choices import ApprovalState
from coupons.models import Approval
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.masking import shown_text
from merchants.admin.noting import note
from merchants.rights import APPROVE, has_right
from merchants.scopes import visible_merchants


class AboutRequest(BaseDialogForm):
    """Shows in short what is decided."""

    form_before_template = "admin/coupons/approval/deciding.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """The request, if the user may see it."""
        if not str(object_id).isdecimal():
            return {}
        seen = Approval.objects.filter(merchant__in=visible_merchants(request.user))
        approval = seen.select_related("requested_by").filter(pk=int(str(object_id))).first()
        if approval is None:
            return {}
        return {
            "approval": approval,
            "numbers": numbers_words(approval),
            "reason": shown_text(request, approval.reason),
        }


class ApproveForm(AboutRequest):
    """A word to go with the yes."""

    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text=_("Whoever asked reads it."),
    )  # fmt: skip


class RefuseForm(AboutRequest):
    """Why not."""

    note = forms.CharField(
        label=_("Why not"), max_length=200, widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text=_("Whoever asked reads it."),
    )  # fmt: skip


class ApprovalActions:
    """The buttons on a request's page, each only for whom and as long as it can be pressed."""

    actions_detail = ("approve", "refuse", "withdraw")
    visible_or_404: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Deciding is for others than who asked; withdrawing for them alone."""
        approval: Approval = self.visible_or_404(request, object_id)
        names: set[str] = set()
        if approval.state == ApprovalState.WAITING:
            if people.may_decide(request.user, approval):
                names = {"refuse"} if self.outdated(approval) else {"approve", "refuse"}  # type: ignore[attr-defined]
            elif approval.requested_by_id == request.user.pk:
                names = {"withdraw"}
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Approve"), url_path="approve", permissions=["decide"], icon="check",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Approve this?"),
            _("It happens at once, just as it was asked for, in the name of whoever asked."),
            _("Approve"), ApproveForm,
        ),
    )  # fmt: skip
    def approve(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Say yes, and have it done."""
        approval = self.visible_or_404(request, object_id)
        said = form.cleaned_data["note"]

        def yes() -> None:
            deciding.approve(approval, by=request.user, note=said)

        if do(request, yes, done=gettext("Approved, and done.")):
            self._note(request, approval, _("Approved: %(request)s (asked for by %(by)s)."))
        return go_to(request, approval)

    @action(
        description=_("Refuse"), url_path="refuse", permissions=["decide"], icon="close",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Refuse this?"), _("Nothing is done. It can be asked for anew."), _("Refuse"), RefuseForm
        ),
    )  # fmt: skip
    def refuse(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Say no, and why."""
        approval = self.visible_or_404(request, object_id)
        said = form.cleaned_data["note"]

        def no() -> None:
            deciding.refuse(approval, by=request.user, note=said)

        if do(request, no, done=gettext("Refused.")):
            self._note(request, approval, _("Refused: %(request)s (asked for by %(by)s)."))
        return go_to(request, approval)

    @action(
        description=_("Withdraw"), url_path="withdraw", permissions=["view"], icon="undo",
        dialog=dialog(
            _("Withdraw your request?"), _("Nothing is done. You can ask anew."), _("Withdraw"), AboutRequest
        ),
    )  # fmt: skip
    def withdraw(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Take one's own request back."""
        approval = self.visible_or_404(request, object_id)
        if do(request, lambda: asking.withdraw(approval, by=request.user), done=gettext("Withdrawn.")):
            self._note(request, approval, _("Withdrawn: %(request)s (asked for by %(by)s)."))
        return go_to(request, approval)

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may decide at all; the service looks at the request."""
        return has_right(request.user, APPROVE)

    def _note(self, request: HttpRequest, approval: Approval, words: Any) -> None:
        """In the history of what it is about; the trail tells of the request by itself."""
        approval.refresh_from_db()
        for row in (approval.template, approval.batch, approval.begun):
            if row is not None:
                note(request, row, words, request=approval, by=approval.requested_by.get_username())
