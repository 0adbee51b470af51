"""What staff do with entries of the inbox: try again, apply to a coupon that they name, or settle with a decision."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from coupons.lifecycle import TillOutcome
from integrations import inbox
from integrations.admin.inbox_forms import ApplyForm, ReasonForm, SettleForm
from integrations.admin.inbox_wording import suggested_decision
from integrations.models import DfireCallback
from integrations.models.inbox import OPEN_STATES, CallbackState, Decision
from merchants.admin.dialogs import MOST_AT_ONCE, confirm, dialog, go_to
from merchants.admin.noting import note as note_that

CHANGE = "integrations.change_dfirecallback"
_BUTTONS = {Decision.ACCEPTED: "accept_one", Decision.ASKED: "ask_one", Decision.DISMISSED: "dismiss_one"}


class CallbackActions:
    """The buttons on an unsettled entry's page, and the actions on the list."""

    actions = ("try_selected", "settle_selected")
    actions_detail = ("try_one", "apply_one", *_BUTTONS.values())
    visible_or_404: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is redeemed already is one of our coupons and can only be decided about; settled ones need nothing.

        The decision that the portal suggests stands out.
        """
        callback = self.visible_or_404(request, object_id)
        names: set[str] = set()
        if callback.state in OPEN_STATES:
            names = {"try_one", "apply_one", *_BUTTONS.values()}
        elif callback.state == CallbackState.REVIEW:
            names = {"accept_one", "ask_one"}
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        offered = [one for one in allowed if one.method.original_function_name in names]
        for one in offered:
            if one.method.original_function_name == _BUTTONS.get(suggested_decision(callback)):  # type: ignore[call-overload]
                one.variant = ActionVariant.PRIMARY
        return offered

    @action(
        description=_("Try again"), url_path="try", permissions=["settle"], icon="replay",
        dialog=dialog(_("Try this again now?"), _("The coupon is redeemed if the code fits one."), _("Try again")),
    )  # fmt: skip
    def try_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Apply the callback now."""
        callback = self.visible_or_404(request, object_id)
        if inbox.try_again(callback.pk):
            messages.success(request, gettext("Applied."))
        else:
            messages.warning(request, gettext("It still fits no coupon."))
        return go_to(request, callback)

    @action(
        description=_("Apply to a coupon"), url_path="apply", permissions=["settle"], icon="confirmation_number",
        dialog=dialog(
            _("Which coupon was redeemed?"),
            _("The coupon becomes redeemed, whatever code and account the till named. This cannot be undone."),
            _("Redeem this coupon"),
            ApplyForm,
        ),
    )  # fmt: skip
    def apply_one(self, request: HttpRequest, form: ApplyForm, object_id: str) -> HttpResponse:
        """Redeem the coupon that the user names."""
        callback = self.visible_or_404(request, object_id)
        coupon, note = form.coupon, form.cleaned_data["reason"]
        assert coupon is not None  # nosec B101 # else the form is not valid
        with transaction.atomic():
            outcome = inbox.apply_by_hand(callback, coupon, note=note, actor=_actor(request))
            if outcome is not None:
                note_that(request, callback, _("Applied to coupon %(code)s."), reason=note, code=f"#{coupon.pk}")
        if outcome is None:
            messages.warning(request, gettext("It had been settled already."))
        elif outcome is TillOutcome.REPEATED:
            messages.warning(request, gettext("The coupon had been redeemed before; it stays as it was."))
        else:
            messages.success(request, gettext("Coupon %(code)s is redeemed.") % {"code": coupon.code})
        return go_to(request, callback)

    @action(
        description=_("Accept it"), url_path="accept", permissions=["settle"], icon="task_alt",
        dialog=dialog(
            _("Accept the discount?"),
            _("The discount that the till gave stands. The entry leaves the list; no coupon changes."),
            _("Accept"), ReasonForm,
        ),
    )  # fmt: skip
    def accept_one(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """The discount stands."""
        return self._decide(request, form, object_id, Decision.ACCEPTED)

    @action(
        description=_("Ask the shop"), url_path="ask", permissions=["settle"], icon="storefront",
        dialog=dialog(
            _("Taken up with the shop?"),
            _("Write down what was agreed. The entry leaves the list; no coupon changes."),
            _("Taken up"), ReasonForm,
        ),
    )  # fmt: skip
    def ask_one(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Someone talks to the shop about it."""
        return self._decide(request, form, object_id, Decision.ASKED)

    @action(
        description=_("Not ours"), url_path="dismiss", permissions=["settle"], icon="block",
        dialog=dialog(
            _("Not a coupon of ours?"),
            _("The entry leaves the list and is not tried any more, even if a coupon with this code appears."),
            _("Dismiss"), ReasonForm,
        ),
    )  # fmt: skip
    def dismiss_one(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Someone else gave that coupon out."""
        return self._decide(request, form, object_id, Decision.DISMISSED)

    @admin.action(description=_("Try the selected again"), permissions=["settle"])
    def try_selected(self, request: HttpRequest, queryset: QuerySet[DfireCallback]) -> None:
        """Apply open ones now."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
        done = sum(inbox.try_again(pk) for pk in ids)
        words = ngettext(
            "%(count)s applied, %(left)s still open or settled before.",
            "%(count)s applied, %(left)s still open or settled before.",
            done,
        )
        messages.info(request, words % {"count": done, "left": len(ids) - done})

    @admin.action(description=_("Settle the selected"), permissions=["settle"])
    def settle_selected(self, request: HttpRequest, queryset: QuerySet[DfireCallback]) -> HttpResponse | None:
        """Take them off the list with one decision, after asking for it."""
        form = SettleForm(request=request, data=request.POST if "confirmed" in request.POST else None)
        asked = confirm(
            self, request, queryset,
            title=gettext("What has been decided about these?"),
            warning=gettext("They leave the list and are not tried any more. No coupon changes."),
            submit=gettext("Settle"),
            form=form,
        )  # fmt: skip
        if asked is None:
            rows = list(queryset.order_by("pk")[:MOST_AT_ONCE])
            decision = Decision(form.cleaned_data["decision"])
            done = sum(self._settle(request, callback, decision, form.cleaned_data["reason"]) for callback in rows)
            messages.success(request, ngettext("%(count)s settled.", "%(count)s settled.", done) % {"count": done})
            if len(rows) > done:
                left = gettext("%(count)s had been settled before and stay as they are.")
                messages.warning(request, left % {"count": len(rows) - done})
        return asked

    def has_settle_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may settle entries."""
        return request.user.has_perm(CHANGE)

    def _decide(self, request: HttpRequest, form: ReasonForm, object_id: str, decision: Decision) -> HttpResponse:
        """Take the entry off the list, with a decision."""
        callback = self.visible_or_404(request, object_id)
        if self._settle(request, callback, decision, form.cleaned_data["reason"]):
            messages.success(request, gettext("Settled: %(decision)s.") % {"decision": decision.label})
        else:
            messages.warning(request, gettext("It had been settled already."))
        return go_to(request, callback)

    @transaction.atomic
    def _settle(self, request: HttpRequest, callback: DfireCallback, decision: Decision, note: str) -> bool:
        done = inbox.settle_by_hand(callback, decision=decision, note=note, actor=_actor(request))
        if done:
            note_that(request, callback, decision.label, reason=note)
        return done


def _actor(request: HttpRequest) -> str:
    return f"staff:{request.user.get_username()}"
