"""What it means for a coupon, or a template, when a row of the outbox is given up."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.models.outbox import RowKind

IF_GIVEN_UP: dict[str, Any] = {
    RowKind.DELIVER: _(
        "The coupon stays valid here, but the customer does not have it at dfire and no till takes it. Its page shows "
        "the delivery as failed; “Send again” there delivers it later, and a coupon that shall not exist is revoked."
    ),
    RowKind.TRANSFER: _(
        "The receiver stays the holder here, while dfire may still hold the coupon for the giver, or for nobody. The "
        "delivery is shown as failed; a comparison with dfire shows where it is."
    ),
    RowKind.WITHDRAW: _(
        "The coupon is over here, but dfire may still hold it, so a till may take it. Such a redemption counts, and is "
        "put before you in the inbox."
    ),
    RowKind.WITHDRAW_UNKNOWN: _("dfire keeps a coupon that nobody here knows, and a till may take it."),
    RowKind.VERIFY: _(
        "The coupon stays redeemed here, but dfire still holds it as unused, so a till may take it once more. It stays "
        "flagged for staff. Where a partner's order waits for it, you decide on the coupon's page."
    ),
    RowKind.SAVE_PROMOTION: _(
        "dfire keeps the earlier terms of this template. If it has none yet, coupons of the template are not delivered "
        "until it is published again."
    ),
    RowKind.DELETE_PROMOTION: _("The promotion stays at dfire. Nothing is issued from it here."),
}
