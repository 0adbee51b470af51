"""Under whom dfire holds a coupon: what every later question and withdrawal must use, whatever is bound since."""

from coupons.models import IssuedCoupon
from integrations.dfire.methods import DELETE_CUSTOMER_PROMOTION
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowKind
from integrations.outbox.evidence import may_have_happened
from merchants.models import Customer, Merchant

Identity = dict[str, str]
CUSTOMER = "customer"  # in an attempt's identity besides: whose it was
TAKEN = "taken"  # in the details of a transfer: the attempt up to which nothing that was told holds any more


def identity_of(customer: Customer, merchant: Merchant) -> Identity:
    """As whom dfire knows the customer at this moment."""
    return {"appid": merchant.appid, "openid": customer.openid, "mobile": customer.mobile}


def told_identities(coupon: IssuedCoupon) -> list[Identity]:
    """Every identity under which dfire may hold the coupon, the likeliest first; none if it was never told of it."""
    if coupon.delivered_openid:
        return [_delivered(coupon)]
    giving = OutboxAttempt.objects.filter(row__coupon=coupon, row__kind__in=(RowKind.DELIVER, RowKind.TRANSFER))
    attempts = may_have_happened(giving.filter(pk__gt=_taken_at(coupon)).exclude(method=DELETE_CUSTOMER_PROMOTION))
    told: list[Identity] = []
    for identity in attempts.order_by("-id").values_list("identity", flat=True):
        if not any(same_list(identity, known) for known in told):
            told.append(dict(identity))
    return told


def told_identity(coupon: IssuedCoupon) -> Identity | None:
    """The likeliest of them."""
    return next(iter(told_identities(coupon)), None)


def holder_at_dfire(coupon: IssuedCoupon) -> Customer | None:
    """Our customer under whose identity dfire most likely holds the coupon; None if that cannot be known.

    The attempts say whose identity they used. Who has its openid today is a guess: it may have been bound anew since.
    """
    told = told_identity(coupon)
    if told is None:
        return None
    named = OutboxAttempt.objects.filter(row__coupon=coupon, identity__has_key=CUSTOMER)
    used = named.filter(identity__appid=told["appid"], identity__openid=told["openid"]).order_by("-id").first()
    if used is not None:
        return Customer.objects.filter(pk=used.identity[CUSTOMER]).first()
    return Customer.objects.filter(merchant=coupon.merchant_id, openid=told["openid"]).first()


def same_list(one: Identity, other: Identity) -> bool:
    """Whether dfire keeps both in one list: a mobile number makes no difference there."""
    return (one.get("appid"), one.get("openid")) == (other.get("appid"), other.get("openid"))


def _taken_at(coupon: IssuedCoupon) -> int:
    """The attempt with which the coupon was last taken from a giver; 0 if it never was."""
    transfers = OutboxRow.objects.filter(coupon=coupon, kind=RowKind.TRANSFER, details__has_key=TAKEN)
    return int(transfers.order_by("-id").values_list(f"details__{TAKEN}", flat=True).first() or 0)


def _delivered(coupon: IssuedCoupon) -> Identity:
    return {
        "appid": coupon.delivered_appid,
        "openid": coupon.delivered_openid,
        "mobile": coupon.delivered_mobile,
    }
