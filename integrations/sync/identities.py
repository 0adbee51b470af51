"""Under whom dfire holds a coupon: what every later question and withdrawal must use, whatever is bound since."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Max, QuerySet

from coupons.choices import Delivery
from coupons.models import IssuedCoupon
from integrations.dfire.methods import DELETE_CUSTOMER_PROMOTION
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowKind
from integrations.outbox.evidence import ASSUMED, may_have_happened
from integrations.sync.promotion_terms import last_day_of_use
from merchants.clock import local_day
from merchants.models import Customer, Merchant

Identity = dict[str, str]
CUSTOMER = "customer"  # in an attempt's identity besides: whose it was
TAKEN = "taken"  # in the details of a transfer: the attempt up to which nothing that was told holds any more
_CARRYING = (RowKind.DELIVER, RowKind.TRANSFER)


def identity_of(customer: Customer, merchant: Merchant) -> Identity:
    """As whom dfire knows the customer at this moment."""
    return {"appid": merchant.appid, "openid": customer.openid, "mobile": customer.mobile}


def may_be_held(coupon: IssuedCoupon) -> bool:
    """Whether dfire may hold the coupon, be it under an identity that nobody knows here any more."""
    return bool(held_perhaps([coupon]))


def held_perhaps(coupons: Iterable[IssuedCoupon]) -> set[int]:
    """The keys of those coupons that dfire may hold, asked for all of them at once."""
    undelivered, held = [], set()
    for coupon in coupons:
        if coupon.delivered_openid:
            held.add(coupon.pk)
        else:
            undelivered.append(coupon.pk)
    if not undelivered:
        return held
    giving = OutboxAttempt.objects.filter(row__coupon__in=undelivered, row__kind__in=_CARRYING)
    last = may_have_happened(giving.exclude(method=DELETE_CUSTOMER_PROMOTION)).order_by().values_list("row__coupon")
    latest = dict(last.annotate(latest=Max("pk")))
    taken = _taken(latest)
    return held | {pk for pk, attempt in latest.items() if attempt > taken.get(pk, 0)}


def told_identities(coupon: IssuedCoupon) -> list[Identity]:
    """Every identity under which dfire may hold the coupon, the likeliest first; none if it was never told of it.

    What is only assumed (after a restore) may as well have used what is bound now: the dump can be older than that.
    """
    if coupon.delivered_openid and (coupon.delivery == Delivery.DELIVERED or _changes_hands(coupon)):
        return [_delivered(coupon)]
    attempts = list(_deliveries(coupon).order_by("-id").values_list("identity", "result"))
    likely = [identity for identity, _ in attempts]
    if any(result == ASSUMED for _, result in attempts):
        likely.append(identity_of(coupon.customer, coupon.merchant))
    likely.append(_delivered(coupon))  # it was there once, and has been found missing since
    told: list[Identity] = []
    for identity in likely:
        if _complete(identity) and not any(same_list(identity, known) for known in told):
            told.append(dict(identity))
    return told


def places_of(row: OutboxRow) -> list[Identity]:
    """Where dfire may hold the row's coupon: as it was told, and where reconciliation has seen it."""
    told = told_identities(row.coupon) if row.coupon is not None else []
    seen: Identity | None = row.details.get("seen")
    if seen and not any(same_list(seen, known) for known in told):
        told.append(dict(seen))
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


def over_at_dfire(coupon: IssuedCoupon, today: date) -> bool:
    """Whether dfire's own end has passed on this Shanghai day.

    It names an end by 00:00 of the last day, which tills honour to its close. Where it has named none, the terms say.
    """
    end = coupon.dfire_valid_until
    return (local_day(end) if end is not None else last_day_of_use(coupon.version.terms)) < today


def same_list(one: Identity, other: Identity) -> bool:
    """Whether dfire keeps both in one list: a mobile number makes no difference there."""
    return (one.get("appid"), one.get("openid")) == (other.get("appid"), other.get("openid"))


def _deliveries(coupon: IssuedCoupon) -> QuerySet[OutboxAttempt]:
    """The attempts that may have brought the coupon where it is now."""
    giving = OutboxAttempt.objects.filter(row__coupon=coupon, row__kind__in=_CARRYING, pk__gt=_taken_at(coupon))
    return may_have_happened(giving.exclude(method=DELETE_CUSTOMER_PROMOTION))


def _changes_hands(coupon: IssuedCoupon) -> bool:
    """Whether the last thing that moved it is a transfer, which believes where it was delivered."""
    carrying = OutboxRow.objects.filter(coupon=coupon, kind__in=_CARRYING)
    return carrying.order_by("-id").values_list("kind", flat=True).first() == RowKind.TRANSFER


def _taken_at(coupon: IssuedCoupon) -> int:
    """The attempt with which the coupon was last taken from a giver; 0 if it never was."""
    return _taken([coupon.pk]).get(coupon.pk, 0)


def _taken(coupons: Iterable[int]) -> dict[int, int]:
    """The same of those coupons that were."""
    transfers = OutboxRow.objects.filter(coupon__in=list(coupons), kind=RowKind.TRANSFER, details__has_key=TAKEN)
    taken = transfers.order_by("pk").values_list("coupon", f"details__{TAKEN}")
    return {coupon: int(attempt or 0) for coupon, attempt in taken}  # the last one stays


def _delivered(coupon: IssuedCoupon) -> Identity:
    return {
        "appid": coupon.delivered_appid,
        "openid": coupon.delivered_openid,
        "mobile": coupon.delivered_mobile,
    }


def _complete(identity: Identity) -> bool:
    """Whether it names a list that dfire can be asked for."""
    return bool(identity.get("appid") and identity.get("openid"))
