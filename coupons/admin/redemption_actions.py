"""What staff decide where dfire has left it open whether a partner's order redeemed a coupon: it was, or it was not."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from coupons.admin.extension import open_redemptions
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from merchants.admin.dialogs import dialog, go_to

DECIDE = "coupons.decide_issuedcoupon"
DECISIONS = ("was_redeemed", "was_not_redeemed")


def decisions_about(coupon: IssuedCoupon) -> set[str]:
    """The actions that make sense: both while it is staff's to decide, else none."""
    side = open_redemptions()
    if coupon.status != CouponStatus.REDEEMING or side is None or not side.can_decide(coupon):
        return set()
    return set(DECISIONS)


class RedemptionActions:
    """The two buttons on a coupon's page."""

    visible_or_404: Any

    @action(
        description=_("It was redeemed"), url_path="was-redeemed", permissions=["decide"], icon="check_circle",
        dialog=dialog(
            _("Was this coupon redeemed?"),
            _(
                "Ask the shop first: the order stands on this page. The coupon is redeemed for good, the partner is"
                " told so, and dfire is told behind it."
            ),
            _("It was redeemed"),
        ),
    )  # fmt: skip
    def was_redeemed(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """The order redeemed it."""
        return self._decide(request, object_id, redeemed=True, done=gettext("Redeemed."))

    @action(
        description=_("It was not redeemed"), url_path="was-not-redeemed", permissions=["decide"], icon="undo",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Was this coupon not redeemed?"),
            _(
                "Ask the shop first: the order stands on this page. The coupon can be used again. Should dfire say"
                " later that the order did redeem it, it counts as redeemed and is put before you."
            ),
            _("It was not redeemed"),
        ),
    )  # fmt: skip
    def was_not_redeemed(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """The order did not redeem it."""
        return self._decide(request, object_id, redeemed=False, done=gettext("Not redeemed. It can be used again."))

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may decide."""
        return request.user.has_perm(DECIDE)

    def _decide(self, request: HttpRequest, object_id: str, *, redeemed: bool, done: str) -> HttpResponse:
        coupon, side = self.visible_or_404(request, object_id), open_redemptions()
        actor = f"staff:{request.user.get_username()}"
        if side is not None and side.decide(coupon, redeemed=redeemed, actor=actor):
            messages.success(request, done)
        else:
            messages.error(
                request, gettext("It has been settled meanwhile, or dfire is asked still: see the timeline.")
            )
        return go_to(request, coupon)
