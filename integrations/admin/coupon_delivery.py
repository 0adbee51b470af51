"""Why a coupon has not arrived at dfire and what to do about it, for the coupon's page: the outbox row in words."""

from django.urls import reverse
from django.utils.translation import gettext

from coupons.admin.extension import Left, tells_of_deliveries
from coupons.models import IssuedCoupon
from integrations.admin.remedies import trouble, what_to_do
from integrations.models import AccountState, OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.sync.words import APPID_MISSING, MOBILE_MISSING, NOT_CONNECTED, OPENID_MISSING, describe

_OF_CUSTOMER = (OPENID_MISSING, MOBILE_MISSING)
_OF_MERCHANT = (APPID_MISSING, NOT_CONNECTED)


@tells_of_deliveries
def advice(coupon: IssuedCoupon) -> list[Left]:
    """What its latest delivery or transfer says, and whether the merchant's account is halted."""
    carrying = OutboxRow.objects.filter(coupon=coupon, kind__in=(RowKind.DELIVER, RowKind.TRANSFER))
    row = carrying.order_by("-pk").first()
    if row is None or row.state in (RowState.DONE, RowState.CANCELLED):
        return [Left(gettext("Nothing is on its way to dfire. “Send again” queues it."), "warning")]
    halted = AccountState.objects.filter(account=coupon.merchant.dfire_account_id, stopped_at__isnull=False).first()
    if halted is not None and row.state in (RowState.QUEUED, RowState.SENDING):
        page = reverse("admin:merchants_dfireaccount_change", args=[halted.account_id])
        words = gettext("dfire refuses the merchant's account. Everything queued goes out once that is mended.")
        return [Left(words, "danger", page)]
    return [_of_row(row, coupon)]


def _of_row(row: OutboxRow, coupon: IssuedCoupon) -> Left:
    page = reverse("admin:integrations_outboxrow_change", args=[row.pk])
    if row.state == RowState.WAITING:
        return Left(describe(row.last_message), "warning", _where_to_mend(row.last_message, coupon) or page)
    words = " ".join(word for word in (trouble(row), what_to_do(row)) if word)
    if row.state == RowState.DEAD:
        again = gettext("Once that is mended, “Send again” queues it.")
        return Left(f"{gettext('dfire does not have this coupon.')} {words} {again}", "danger", page)
    if words:
        return Left(words, "warning", page)
    return Left(gettext("It is on its way to dfire, which takes seconds as a rule."), "info", page)


def _where_to_mend(missing: str, coupon: IssuedCoupon) -> str:
    if missing in _OF_CUSTOMER:
        return reverse("admin:merchants_customer_change", args=[coupon.customer_id])
    return reverse("admin:merchants_merchant_change", args=[coupon.merchant_id]) if missing in _OF_MERCHANT else ""
