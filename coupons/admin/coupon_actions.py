"""What staff do with issued coupons: take back, give on, send again. Services do it; here it is asked for and told."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from coupons import lifecycle
from coupons.admin.approving import act_or_ask, go_on
from coupons.admin.customer_forms import TransferForm
from coupons.admin.doing import do, do_each
from coupons.admin.redemption_actions import DECISIONS, RedemptionActions, decisions_about
from coupons.admin.reissue_form import ReissueForm
from coupons.admin.revoking import RevokeForm, revoke, revoke_chosen, to_ask, words_before
from coupons.approvals import asking
from coupons.choices import CouponStatus, Delivery
from coupons.errors import Reason, Refused
from coupons.models import IssuedCoupon
from merchants.admin.dialogs import MOST_AT_ONCE, ReasonForm, ask_again, confirm, dialog, go_to

REVOKE = "coupons.revoke_issuedcoupon"
ISSUE = "coupons.issue_issuedcoupon"
TRANSFER = "coupons.transfer_issuedcoupon"
REISSUE = "coupons.reissue_issuedcoupon"
TRANSFER_DIALOG = dialog(
    _("Give this coupon to another customer?"),
    _("It is theirs at once, and dfire follows. Who has no openid yet gets it there when one is bound."),
    _("Transfer"),
    TransferForm,
)
REISSUE_DIALOG = dialog(
    _("Replace this redeemed coupon?"),
    _(
        "For a cancelled order: its holder gets one new coupon under the same terms. It takes nothing from stock,"
        " limits and budget. This one stays redeemed in all figures and can be replaced once."
    ),
    _("Reissue"),
    ReissueForm,
)


def resend(coupon_id: int) -> None:
    """Try again to bring one coupon to dfire.

    Raises:
        Refused: it cannot be delivered any more, or not before something that is missing has been entered.
    """
    with transaction.atomic():
        coupon = lifecycle.lock([coupon_id])[0]
        if coupon.delivery == Delivery.WAITING and lifecycle.status_now(coupon) == CouponStatus.ISSUED:
            raise Refused(Reason.WAITING)
        lifecycle.resend(coupon)


class CouponActions(RedemptionActions):
    """The buttons on a coupon's page, each only where it can be done, and the actions on the list."""

    actions_detail = ("resend_one", "transfer_one", "reissue_one", *DECISIONS, "revoke_one")
    actions = ("revoke_selected", "resend_selected")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the coupon's state."""
        coupon = self.visible_or_404(request, object_id)
        live = lifecycle.status_now(coupon) == CouponStatus.ISSUED
        names = decisions_about(coupon)
        if live or coupon.status == CouponStatus.EXPIRED:
            names.add("revoke_one")
        if live:
            names.add("transfer_one")
        if live and coupon.delivery in (Delivery.QUEUED, Delivery.FAILED):
            names.add("resend_one")
        if lifecycle.refusal_to_reissue(coupon) is None:
            names.add("reissue_one")
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Revoke"), url_path="revoke", permissions=["revoke"], icon="block", variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Revoke this coupon?"),
            _("It is invalid at once and is withdrawn at dfire behind it. This cannot be undone."),
            _("Revoke"),
            RevokeForm,
        ),
    )  # fmt: skip
    def revoke_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Take the coupon back."""
        coupon = self.visible_or_404(request, object_id)
        came_of_it = act_or_ask(
            request, form,
            act=lambda: revoke(coupon.pk, reason=form.cleaned_data["reason"], by=request.user),
            ask=lambda why: asking.ask_to_revoke(coupon.template, [coupon.pk], by=request.user, reason=why),
            done=gettext("Revoked."),
        )  # fmt: skip
        return go_on(request, came_of_it, coupon)

    @action(
        description=_("Send again"), url_path="resend", permissions=["issue"], icon="forward_to_inbox",
        dialog=dialog(
            _("Send this coupon to dfire again?"),
            _("If dfire may know it already, it is asked first, so that the customer never gets two."),
            _("Send again"),
        ),
    )  # fmt: skip
    def resend_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue the delivery once more."""
        coupon = self.visible_or_404(request, object_id)
        do(request, lambda: resend(coupon.pk), done=gettext("Queued. The timeline shows what comes of it."))
        return go_to(request, coupon)

    @action(
        description=_("Transfer"), url_path="transfer", permissions=["transfer"], icon="move_up",
        dialog=TRANSFER_DIALOG,
    )  # fmt: skip
    def transfer_one(self, request: HttpRequest, form: TransferForm, object_id: str) -> HttpResponse:
        """Give the coupon to another customer of the merchant."""
        coupon = self.visible_or_404(request, object_id)
        if not form.transfer(coupon, username=request.user.get_username()):
            return ask_again(request, form, TRANSFER_DIALOG)
        messages.success(request, gettext("Transferred. The timeline shows how far dfire is."))
        return go_to(request, coupon)

    @action(
        description=_("Reissue"), url_path="reissue", permissions=["reissue"], icon="autorenew",
        dialog=REISSUE_DIALOG,
    )  # fmt: skip
    def reissue_one(self, request: HttpRequest, form: ReissueForm, object_id: str) -> HttpResponse:
        """Replace a redeemed coupon whose order was cancelled."""
        replacement = form.reissue(by=request.user)
        if replacement is None:
            return ask_again(request, form, REISSUE_DIALOG)
        messages.success(request, gettext("Replaced. This is the new coupon; the first one stays redeemed."))
        return go_to(request, replacement)

    @admin.action(description=_("Revoke the selected"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[IssuedCoupon]) -> HttpResponse | None:
        """Take coupons back, after asking why and saying how many."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(ids) > MOST_AT_ONCE:
            messages.error(request, gettext("At most %(most)s at once.") % {"most": MOST_AT_ONCE})
            return None
        form = ReasonForm(request=request, data=request.POST if "confirmed" in request.POST else None)
        warning = gettext("They are invalid at once and are withdrawn at dfire. This cannot be undone.")
        if "confirmed" not in request.POST:
            warning = " ".join(filter(None, [warning, words_before(to_ask(ids, request.user), request.user)]))
        asked = confirm(
            self, request, queryset,
            title=gettext("Revoke these coupons?"),
            warning=warning,
            submit=gettext("Revoke"),
            form=form,
        )  # fmt: skip
        if asked is None:
            done = revoke_chosen(request, ids, reason=form.cleaned_data["reason"])
            if done is not None:
                words = ngettext("%(count)s coupon revoked.", "%(count)s coupons revoked.", done)
                messages.success(request, words % {"count": done})
        return asked

    @admin.action(description=_("Send the selected again"), permissions=["issue"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[IssuedCoupon]) -> None:
        """Queue the deliveries of those that have not reached dfire."""
        open_ones = queryset.exclude(delivery=Delivery.DELIVERED).order_by("pk")[:MOST_AT_ONCE]
        done = do_each(request, list(open_ones.values_list("pk", flat=True)), resend)
        words = ngettext("%(count)s coupon queued.", "%(count)s coupons queued.", done)
        messages.success(request, words % {"count": done})

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may revoke."""
        return request.user.has_perm(REVOKE)

    def has_transfer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may give coupons on."""
        return request.user.has_perm(TRANSFER)

    def has_reissue_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may replace redeemed coupons."""
        return request.user.has_perm(REISSUE)

    def has_issue_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may issue, and so send again."""
        return request.user.has_perm(ISSUE)
