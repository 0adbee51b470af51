"""The one door through which coupons are given out, one or many: stock, limits, terms, code, history, signal.

Locks are taken in the order customer, coupon, template, outbox row everywhere in the portal, so that no two
transactions wait for each other. The template's row is locked by the very statement that takes from its stock: from
there to the commit no one else issues of the same template, which makes the limits per person exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from coupons import counting
from coupons.choices import CouponStatus, EventKind, Source, TemplateStatus
from coupons.codes import new_code
from coupons.errors import Reason, Refused
from coupons.models import CouponEvent, CouponTemplate, IssuedCoupon, TemplateVersion
from coupons.signals import coupons_issued
from coupons.terms import Terms
from merchants.clock import day_end, day_start, local_day
from merchants.models import Customer, SmartCouponAccount

_CODE_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """By whom and through which door coupons are issued.

    `actor` is `staff:name`, `push:account` or `api:app`; `account` is the smart-coupon account of a push.
    """

    source: Source
    actor: str
    account: SmartCouponAccount | None = None


@transaction.atomic
def issue(
    *,
    template: CouponTemplate,
    customer: Customer,
    through: Through,
    valid_until: datetime | None = None,
) -> IssuedCoupon:
    """Give one coupon to a customer of the template's merchant.

    Args:
        valid_until: the last second of validity where the giver says so (aware); else the terms say.

    Raises:
        Refused: not published, over, out of stock or budget, a limit reached, an end that has passed, or a customer
            who was erased.
    """
    # The customer's row is locked against a binding that commits unseen in between (see `merchants.customers`).
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk, merchant_id=template.merchant_id)
    if customer.erased_at is not None:
        raise Refused(Reason.CUSTOMER_ERASED)
    now = timezone.now()
    version = _take_from_stock(template, 1, now)
    _check_person(template, customer, now)
    valid_from, last_second = validity(version.terms, now, valid_until)
    coupon = insert(
        IssuedCoupon(
            merchant_id=template.merchant_id,
            template=template,
            version=version,
            customer=customer,
            valid_from=valid_from,
            valid_until=last_second,
            source=through.source,
            source_account=through.account,
            issued_at=now,
            cost_fen=counting.cost_each(template),
        )
    )
    _finish(version, [coupon], through)
    return coupon


def validity(terms: Terms, now: datetime, told: datetime | None = None) -> tuple[datetime, datetime]:
    """The first and the last second of a coupon received now, both aware.

    `told` is an end that the giver names, to the second. Else `valid_days` N ends with the local day N-1 days after
    receipt, and without it the end date's day is the last.

    Raises:
        Refused: the end has passed.
    """
    valid_from = max(now, day_start(terms.start_date))
    if told is not None:
        last = told
    elif terms.valid_days is not None:
        last = day_end(local_day(valid_from) + timedelta(days=terms.valid_days - 1))
    else:
        last = day_end(terms.end_date)
    if last < now:
        raise Refused(Reason.END_PASSED)
    return min(valid_from, last), last


def _take_from_stock(template: CouponTemplate, count: int, now: datetime) -> TemplateVersion:
    """Take so many from stock and budget, which locks the template, and return the version in force.

    Reads the limits into `template` as they stand under the lock.
    """
    taken = CouponTemplate.objects.filter(
        counting.has_room(count),
        pk=template.pk,
        status=TemplateStatus.PUBLISHED,
        end_date__gte=local_day(now),
    ).update(**counting.taken(count))
    template.refresh_from_db()
    if not taken:
        raise Refused(_why_not(template, now))
    return template.versions.latest("number")


def _why_not(template: CouponTemplate, now: datetime) -> Reason:
    if template.status != TemplateStatus.PUBLISHED:
        return Reason.TEMPLATE_NOT_PUBLISHED
    if template.end_date < local_day(now):
        return Reason.TEMPLATE_OVER
    if template.stock is not None and template.issued_count >= template.stock:
        return Reason.OUT_OF_STOCK
    return Reason.OUT_OF_BUDGET


def _check_person(template: CouponTemplate, customer: Customer, now: datetime) -> None:
    """Hold the limits per customer and per customer and Shanghai day.

    Revoked coupons do not count, nor do replacements: the coupon that they stand in for does.
    """
    if template.per_person_limit is None and template.per_person_daily_limit is None:
        return
    held = IssuedCoupon.objects.filter(template=template, customer=customer, replaces=None).exclude(
        status=CouponStatus.REVOKED
    )
    if template.per_person_limit is not None and held.count() >= template.per_person_limit:
        raise Refused(Reason.PERSON_LIMIT)
    if template.per_person_daily_limit is not None:
        today = held.filter(issued_at__gte=day_start(local_day(now)))
        if today.count() >= template.per_person_daily_limit:
            raise Refused(Reason.PERSON_DAILY_LIMIT)


def insert(coupon: IssuedCoupon) -> IssuedCoupon:
    """Insert the coupon under a fresh code; a collision, however unlikely, draws another.

    Only for what gives coupons out by rules of its own (`lifecycle.reissue`): it checks and counts nothing.
    """
    for _ in range(_CODE_TRIES):
        coupon.code = new_code()
        try:
            with transaction.atomic():
                coupon.save(force_insert=True)
        except IntegrityError as error:
            if not IssuedCoupon.objects.filter(code=coupon.code).exists():
                raise error
            continue
        return coupon
    raise RuntimeError("Five coupon codes in a row were taken: the source of randomness is broken.")


def _finish(version: TemplateVersion, coupons: Sequence[IssuedCoupon], through: Through) -> None:
    """Write the history and tell the others: one signal for all of them."""
    CouponEvent.objects.bulk_create(
        CouponEvent(coupon=coupon, at=coupon.issued_at, kind=EventKind.ISSUED, actor=through.actor)
        for coupon in coupons
    )
    coupons_issued.send(IssuedCoupon, version=version, coupons=list(coupons))
