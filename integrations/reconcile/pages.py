"""One page of a run: some customers, the lists that may hold their coupons, and what those lists say.

A coupon keeps the identity under which it was delivered, so a customer may have to be asked about under several.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.models import OutboxAttempt, Reconciliation
from integrations.models.outbox import RowKind
from integrations.models.reconcile import RunStage
from integrations.outbox.evidence import may_have_happened
from integrations.reconcile.comparing import Sighting, heavier
from integrations.reconcile.reading import Answer, Question, coupons_of, promotions_of
from integrations.reconcile.targets import next_page
from merchants.clock import day_start, local_day
from merchants.models import Customer

Place = tuple[int, str, str]  # customer, appid, openid


@dataclass(slots=True, eq=False)
class Page:
    """What is read, and judged as a whole once all of it has been read."""

    stage: str
    last: int  # the key of its last customer
    customers: list[int]
    questions: list[Question]
    answers: list[Answer] = field(default_factory=list)
    refused: int = 0

    @property
    def complete(self) -> bool:
        """Whether every list has been read or refused."""
        return len(self.answers) + self.refused == len(self.questions)

    @property
    def asked_at(self) -> datetime:
        """When the first of its questions was sent: what has changed since is on the move."""
        return min((answer.asked_at for answer in self.answers), default=timezone.now())

    def sightings(self) -> dict[str, list[Sighting]]:
        """The lines of all lists by code. Coupons that dfire issued itself have none and are not ours to compare."""
        found: dict[str, list[Sighting]] = {}
        for answer in self.answers:
            asked = answer.question
            for line in answer.rows or ():
                if line.code:
                    sighting = Sighting(line.code, line.state, asked.customer_id, asked.appid, asked.openid)
                    found.setdefault(line.code, []).append(sighting)
        return found

    def places_read(self) -> set[tuple[str, str]]:
        """Under which identities a list was read."""
        return {(answer.question.appid, answer.question.openid) for answer in self.answers}


def promotions_page(run: Reconciliation) -> Page:
    """The merchant's promotions."""
    return _page(RunStage.PROMOTIONS, 0, [], [promotions_of(run.merchant)])


def customers_page(run: Reconciliation, stage: str, after: int) -> Page | None:
    """The next customers of a stage with every identity that dfire may hold coupons under; None if there are none."""
    customers = next_page(run, stage, after)
    if not customers:
        return None
    questions = [
        coupons_of(run.merchant, customer_id=customer_id, appid=appid, openid=openid)
        for customer_id, appid, openid in _places(run, customers)
    ]
    return _page(stage, customers[-1].pk, [customer.pk for customer in customers], questions)


def counting(sightings: Iterable[Sighting]) -> Sighting:
    """The line that counts."""
    found: Sighting | None = None
    for sighting in sightings:
        found = heavier(found, sighting)
    assert found is not None  # nosec B101 # a code is there because a line named it
    return found


def _page(stage: str, last: int, customers: list[int], questions: list[Question]) -> Page:
    page = Page(stage, last, customers, questions)
    for question in questions:
        question.page = page
    return page


def _places(run: Reconciliation, customers: list[Customer]) -> list[Place]:
    """Each identity once: the present binding, those of delivered coupons, those of tries that may have happened."""
    ids = [customer.pk for customer in customers]
    today = day_start(local_day(timezone.now()))
    bound = [(one.pk, run.merchant.appid, one.openid) for one in customers]
    delivered = (
        IssuedCoupon.objects.filter(Q(dfire_valid_until=None) | Q(dfire_valid_until__gte=today), customer__in=ids)
        .order_by()
        .values_list("customer_id", "delivered_appid", "delivered_openid")
        .distinct()
    )
    tried = (
        may_have_happened(OutboxAttempt.objects.filter(row__kind=RowKind.DELIVER))
        .filter(row__coupon__customer__in=ids, row__coupon__status=CouponStatus.ISSUED)
        .exclude(row__coupon__delivery=Delivery.DELIVERED)
        .order_by()
        .values_list("row__coupon__customer_id", "identity__appid", "identity__openid")
    )
    return sorted({(pk, appid, openid) for pk, appid, openid in [*bound, *delivered, *tried] if appid and openid})
