"""A month in the life of the demo's chain, so that home, settlement and lists show what they are for.

Everything goes through the doors that it always goes through, with the clock of this process set back: coupons are
issued day by day, more of them towards the weekend, and a part is redeemed at lunch or dinner. What is still open then
is delivered to the sandbox by the worker as anything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from unittest.mock import patch

from django.db import transaction
from django.utils import timezone

from config.demo.document import DAYS
from coupons import issuing, lifecycle
from coupons.choices import Kind, Source
from coupons.issuing import Through
from coupons.models import CouponTemplate
from merchants.clock import SHANGHAI
from merchants.models import Customer, Merchant, Shop

BY_WEEKDAY = (6, 5, 7, 7, 10, 14, 12)  # coupons a day, from Monday
REDEEMED = 0.38  # of the coupons
STAFF = Through(source=Source.STAFF, actor="staff:admin")


def live(merchant: Merchant, references: list[str], today: date) -> int:
    """Let the merchant's templates be issued and redeemed in the days before `today` (local).

    Returns:
        How many coupons were issued.
    """
    chance = Random(88)  # nosec B311 # the same month each time
    templates = {found.reference: found for found in merchant.templates.filter(reference__in=references)}
    customers = list(Customer.objects.filter(merchant=merchant).exclude(openid="").order_by("pk"))
    shops = list(Shop.objects.filter(merchant=merchant).order_by("pk"))
    visits: list[tuple[datetime, int]] = []
    count = 0
    for back in range(DAYS, 0, -1):
        day = today - timedelta(days=back)
        for moment, coupon_id in [visit for visit in visits if visit[0].date() <= day]:
            _redeem(coupon_id, moment, chance.choice(shops), chance)
        visits = [visit for visit in visits if visit[0].date() > day]
        template = templates[references[back % len(references)]]
        chosen = chance.sample(customers, min(len(customers), BY_WEEKDAY[day.weekday()]))
        given = _issue(template, chosen, datetime.combine(day, time(9, chance.randrange(60)), SHANGHAI))
        count += len(given)
        for coupon_id in given:
            meal = datetime.combine(day, time(chance.choice((12, 18, 19)), chance.randrange(60)), SHANGHAI)
            visit = meal + timedelta(days=chance.randrange(1, 9))
            if chance.random() < REDEEMED and visit.date() < today:
                visits.append((visit, coupon_id))
    return count


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """Let this process, which does nothing else, believe that it is then."""
    with patch.object(timezone, "now", lambda: moment.astimezone(UTC)):
        yield


def _issue(template: CouponTemplate, customers: list[Customer], moment: datetime) -> list[int]:
    template.refresh_from_db()
    with clock_at(moment):
        given = issuing.issue_many(template=template, customers=[one.pk for one in customers], through=STAFF)
    return [one.coupon_id for one in given.issued]


@transaction.atomic
def _redeem(coupon_id: int, moment: datetime, shop: Shop, chance: Random) -> None:
    """At the shop's till; the amounts are known for most coupons that take off cash."""
    coupon = lifecycle.lock([coupon_id])[0]
    told = coupon.template.kind == Kind.CASH and chance.random() < 0.8
    bill = coupon.template.min_spend_fen + chance.randrange(1_000, 12_000, 100)
    saved = coupon.template.amount_fen or 0
    with clock_at(moment):
        lifecycle.redeem_at_till(
            coupon, at=moment, shop=shop, saved_fen=saved if told else None, paid_fen=bill - saved if told else None
        )
