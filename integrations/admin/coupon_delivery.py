"""What dfire has not been told of a coupon and what to do about it, for the coupon's page: outbox rows in words."""

from django.urls import reverse
from django.utils.translation import gettext

from coupons import lifecycle
from coupons.admin.extension import Left, tells_of_dfire
from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.admin.remedies import trouble, what_to_do
from integrations.models import AccountState, OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.sync import redemptions
from integrations.sync.words import APPID_MISSING, MOBILE_MISSING, NOT_CONNECTED, OPENID_MISSING, describe
from merchants.admin.actors import actor_words
from merchants.admin.masking import masked_text

_OF_CUSTOMER = (OPENID_MISSING, MOBILE_MISSING)
_OF_MERCHANT = (APPID_MISSING, NOT_CONNECTED)
_SETTLED = (RowState.DONE, RowState.CANCELLED)


@tells_of_dfire
def advice(coupon: IssuedCoupon) -> list[Left]:
    """Why it has not arrived there, or why it is there still although it is over."""
    match lifecycle.status_now(coupon):
        case CouponStatus.ISSUED if coupon.delivery != Delivery.DELIVERED:
            return _delivery(coupon)
        case CouponStatus.REVOKED | CouponStatus.EXPIRED:
            return _withdrawal(coupon)
        case CouponStatus.REDEEMING:
            return _redemption(coupon)
    return []


def _delivery(coupon: IssuedCoupon) -> list[Left]:
    row = _latest(coupon, RowKind.DELIVER, RowKind.TRANSFER)
    if row is None or row.state in _SETTLED:
        return [Left(gettext("Nothing is on its way to dfire. “Send again” queues it."), "warning")]
    if row.state == RowState.WAITING:
        link = _where_to_mend(row.last_message, coupon) or _page(row)
        return [Left(masked_text(describe(row.last_message)), "warning", link)]
    if row.state == RowState.DEAD:
        again = gettext("Once that is mended, “Send again” queues it.")
        return [_said(gettext("dfire does not have this coupon."), row, again)]
    words = gettext("It is on its way to dfire, which takes seconds as a rule.")
    return [_halted(coupon) or _under_way(words, row)]


def _withdrawal(coupon: IssuedCoupon) -> list[Left]:
    row = _latest(coupon, RowKind.WITHDRAW)
    if row is None or row.state in _SETTLED:
        return []
    if row.state == RowState.DEAD:
        again = gettext("Retry it there once that is mended.")
        return [_said(gettext("dfire has this coupon still, and a till would take it."), row, again)]
    return [_halted(coupon) or _under_way(gettext("It is being withdrawn at dfire."), row)]


def _redemption(coupon: IssuedCoupon) -> list[Left]:
    row, order = _latest(coupon, RowKind.VERIFY), redemptions.open_order(coupon)
    said = gettext("Order %(order)s of %(app)s is redeeming it; dfire is asked.") % {
        "order": order.order_id if order else "?", "app": actor_words(order.actor) if order else "?"
    }  # fmt: skip
    if row is None or row.state in _SETTLED:
        return [Left(said, "warning")]
    return [_halted(coupon) or Left(" ".join(filter(None, [said, trouble(row)])), "info", _page(row))]


def _latest(coupon: IssuedCoupon, *kinds: RowKind) -> OutboxRow | None:
    return OutboxRow.objects.filter(coupon=coupon, kind__in=kinds).order_by("-pk").first()


def _halted(coupon: IssuedCoupon) -> Left | None:
    """That nothing goes out at all for the merchant, where that is so."""
    halted = AccountState.objects.filter(account=coupon.merchant.dfire_account_id, stopped_at__isnull=False).first()
    if halted is None:
        return None
    words = gettext("dfire refuses the merchant's account. Everything queued goes out once that is mended.")
    return Left(words, "danger", reverse("admin:merchants_dfireaccount_change", args=[halted.account_id]))


def _under_way(words: str, row: OutboxRow) -> Left:
    """Where it is tried again, why; else that it takes a moment."""
    said = " ".join(word for word in (trouble(row), what_to_do(row)) if word)
    return Left(said or words, "warning" if said else "info", _page(row))


def _said(matter: str, row: OutboxRow, then: str) -> Left:
    return Left(" ".join(word for word in (matter, trouble(row), what_to_do(row), then) if word), "danger", _page(row))


def _page(row: OutboxRow) -> str:
    return reverse("admin:integrations_outboxrow_change", args=[row.pk])


def _where_to_mend(missing: str, coupon: IssuedCoupon) -> str:
    if missing in _OF_CUSTOMER:
        return reverse("admin:merchants_customer_change", args=[coupon.customer_id])
    return reverse("admin:merchants_merchant_change", args=[coupon.merchant_id]) if missing in _OF_MERCHANT else ""
