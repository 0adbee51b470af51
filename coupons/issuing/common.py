"""What issuing one and issuing many share: who issues, how long it is valid, and whether there is any to give."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from coupons import counting
from coupons.choices import Source, TemplateStatus
from coupons.errors import Reason, Refused
from coupons.models import Batch, CouponTemplate, IssuedCoupon, TemplateVersion
from coupons.terms import Terms
from merchants.clock import day_end, day_start, local_day
from merchants.models import Customer, SmartCouponAccount

CODE_TRIES = 5
NO_RANDOMNESS = "Five coupon codes in a row were taken: the source of randomness is broken."


def in_transaction() -> AbstractContextManager[Any]:
    """The caller's transaction, or one of our own. Nothing is written before every rule has said yes, so that there is
    nothing that a savepoint would have to undo.
    """
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """By whom and through which door coupons are issued.

    `actor` is `staff:name`, `push:account` or `api:app`; `account` is the smart-coupon account of a push.
    """

    source: Source
    actor: str
    account: SmartCouponAccount | None = None


def validity(terms: Terms, now: datetime, told: datetime | None = None) -> tuple[datetime, datetime]:
    """The first and the last second of a coupon received now, both aware.

    `told` is an end that the giver names, to the second. Else `valid_days` N ends with the local day N-1 days after
    receipt, and without it the end date's day is the last.

    Raises:
        Refused: the end has passed, or comes before the first day.
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
    if last < valid_from:
        raise Refused(Reason.END_BEFORE_START)
    return valid_from, last


def not_open(template: CouponTemplate, now: datetime) -> Reason | None:
    """Why nothing at all is issued of the template at this moment, if so."""
    if template.status != TemplateStatus.PUBLISHED:
        return Reason.TEMPLATE_NOT_PUBLISHED
    if template.end_date < local_day(now):
        return Reason.TEMPLATE_OVER
    return None


def used_up(template: CouponTemplate) -> Reason | None:
    """Whether the stock or the budget has room for none more."""
    if template.stock is not None and template.issued_count >= template.stock:
        return Reason.OUT_OF_STOCK
    room = counting.room_in_budget(template)
    return Reason.OUT_OF_BUDGET if room is not None and room <= 0 else None


def new_coupon(
    version: TemplateVersion,
    template: CouponTemplate,
    customer: Customer | None,
    through: Through,
    *,
    now: datetime,
    validity: tuple[datetime, datetime],
    batch: Batch | None = None,
) -> IssuedCoupon:
    """A coupon as it is inserted, but for its code (and, of many, its customer)."""
    valid_from, valid_until = validity
    return IssuedCoupon(
        merchant_id=template.merchant_id,
        template=template,
        version=version,
        customer=customer,
        valid_from=valid_from,
        valid_until=valid_until,
        source=through.source,
        source_account=through.account,
        issued_at=now,
        cost_fen=counting.cost_each(template),
        batch=batch,
    )
