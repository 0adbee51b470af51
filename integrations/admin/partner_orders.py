"""Orders on which partners redeem: a list to look at, and the decision where dfire has left one open."""

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons.admin.extension import decides_redemptions
from coupons.admin.money import yuan
from coupons.models import IssuedCoupon
from integrations.models import PartnerOrder
from integrations.models.orders import OrderState
from integrations.sync import open_redemptions, redemptions
from merchants.admin.actors import actor_words
from merchants.admin.badges import Variant, badge, mono, page_of
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.masking import masked_text

_VARIANTS: dict[str, Variant] = {
    OrderState.OPEN: "warning",
    OrderState.REDEEMED: "success",
    OrderState.LOST: "info",
    OrderState.REFUSED: "danger",
    OrderState.UNDONE: "default",
}


class _Side:
    """What the coupon's page asks."""

    def can_decide(self, coupon: IssuedCoupon) -> bool:
        """Whether dfire has left the open order to staff."""
        order = redemptions.open_order(coupon)
        return order is not None and open_redemptions.can_be_decided(order, timezone.now())

    def decide(self, coupon: IssuedCoupon, *, redeemed: bool, actor: str) -> bool:
        """Decide it."""
        return open_redemptions.decide(coupon.pk, redeemed=redeemed, actor=actor)


decides_redemptions(_Side())


@admin.register(PartnerOrder)
class PartnerOrderAdmin(ReadOnly, BigTable, ScopedAdmin):
    """What partners asked and what became of it. An open one is decided on its coupon's page."""

    list_display = ["began_at", "order_shown", "by_shown", "coupon_shown", "paid_shown", "saved_shown", "state_shown"]
    list_display_links = ["began_at"]
    list_select_related = ["coupon"]
    list_filter = [("state", ChoicesDropdownFilter)]
    search_fields = ["coupon__code__exact"]
    search_help_text = _("Coupon code")
    ordering = ["-id"]
    fields = [
        ("began_at", "settled_at"), ("order_shown", "order_date"), ("by_shown", "coupon_shown"),
        ("paid_shown", "saved_shown"), ("shop", "row_shown"), ("state_shown", "decided_shown"), "said_shown",
    ]  # fmt: skip
    readonly_fields = [
        "began_at", "settled_at", "order_shown", "order_date", "by_shown", "coupon_shown", "paid_shown", "saved_shown",
        "shop", "row_shown", "state_shown", "decided_shown", "said_shown",
    ]  # fmt: skip
    empty_hint = _("Orders appear here once a partner's application redeems a coupon.")

    @display(description=_("order ID"))
    def order_shown(self, order: PartnerOrder) -> str:
        """The partner's name of it."""
        return mono(order.order_id)

    @display(description=_("by"))
    def by_shown(self, order: PartnerOrder) -> str:
        """Whose order it is."""
        return actor_words(order.actor)

    @display(description=_("coupon"))
    def coupon_shown(self, order: PartnerOrder) -> str:
        """A link to the coupon."""
        return page_of(order.coupon, mono(order.coupon.code))

    @display(description=_("paid by the customer"))
    def paid_shown(self, order: PartnerOrder) -> str:
        """What the customer pays."""
        return f"¥{yuan(order.paid_fen)}"

    @display(description=_("taken off the bill"))
    def saved_shown(self, order: PartnerOrder) -> str:
        """What the coupon takes off."""
        return f"¥{yuan(order.saved_fen)}"

    @display(description=_("state"))
    def state_shown(self, order: PartnerOrder) -> str:
        """How far it is, and whether that was concluded."""
        hint = str(_("Concluded from dfire's list.")) if order.inferred else ""
        return badge(order.get_state_display(), _VARIANTS.get(order.state, "default"), hint=hint)

    @display(description=_("decided by"))
    def decided_shown(self, order: PartnerOrder) -> str:
        """Who of staff decided it."""
        return actor_words(order.decided_by) if order.decided_by else "-"

    @display(description=_("dfire's words"))
    def said_shown(self, order: PartnerOrder) -> str:
        """Why dfire refused it."""
        return masked_text(f"{order.code} {order.message}".strip()) or "-"

    @display(description=_("outbox row"))
    def row_shown(self, order: Any) -> str:
        """A link to what dfire is told."""
        return page_of(order.row) if order.row else "-"
