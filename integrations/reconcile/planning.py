"""Writing a page's findings down, with the run's progress, in one transaction: a page is done whole or not at all.

A coupon that seems to differ is looked at once more under its lock, against what has changed since dfire was asked.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery, Source
from coupons.models import IssuedCoupon
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import RunStage
from integrations.reconcile import runs, targets
from integrations.reconcile.comparing import Difference, Sighting, difference, expiring_now, unknown
from integrations.reconcile.movement import moving_coupons
from integrations.reconcile.pages import Page, counting
from integrations.reconcile.promotions import promotion_findings
from integrations.sync.identities import over_at_dfire, told_identities
from merchants.clock import local_day

_UNIQUE = ["run", "kind", "subject"]
_TOLD_BETTER = ["details", "repair", "customer", "read_at"]


@transaction.atomic
def write(run: Reconciliation, page: Page) -> bool:
    """Store what a read page comes to. False, with nothing written, if the run is not this worker's any more."""
    if page.stage == RunStage.PROMOTIONS:
        findings, moving = promotion_findings(run, page)
        targets.note_at_risk(run)
        progress = {"stage": RunStage.AT_RISK, "cursor": 0, "customers_total": targets.how_many(run)}
    else:
        findings, moving = _coupon_findings(run, page)
        progress = {
            "stage": page.stage,
            "cursor": page.last,
            "customers_done": run.customers_done + len(page.customers),
            "lists_unread": run.lists_unread + page.refused,
        }
    # What mends is worth more than what can only be accepted: it replaces the other about the same coupon.
    Finding.objects.bulk_create([one for one in findings if not one.repair], ignore_conflicts=True)
    Finding.objects.bulk_create(
        [one for one in findings if one.repair],
        update_conflicts=True,
        unique_fields=_UNIQUE,
        update_fields=_TOLD_BETTER,
    )
    if not runs.keep(run, **progress, moving=run.moving + moving, tries=0, message=""):
        transaction.set_rollback(True)
        return False
    return True


def _coupon_findings(run: Reconciliation, page: Page) -> tuple[list[Finding], int]:
    seen = {code: counting(lines) for code, lines in page.sightings().items()}
    known = _coupons(run, page, seen)
    suspects = [coupon.pk for coupon in known if _judge(coupon, seen, page) is not None]
    findings, moving = _look_again(run, page, seen, suspects)
    ours = set(IssuedCoupon.objects.filter(code__in=seen).values_list("code", flat=True))
    for code, sighting in seen.items():
        if code not in ours and (found := unknown(sighting)) is not None:
            findings.append(_finding(run, page, found, code, customer_id=sighting.customer_id))
    return findings, moving


def _coupons(run: Reconciliation, page: Page, seen: dict[str, Sighting]) -> Iterable[IssuedCoupon]:
    """The merchant's coupons that the lists name, and those of the page's customers that the lists should name."""
    without_the_till = Q(status=CouponStatus.REDEEMED) & ~Q(redeemed_through=Source.TILL)
    expected = Q(customer__in=page.customers) & (Q(status=CouponStatus.ISSUED) | without_the_till)
    found = IssuedCoupon.objects.filter(Q(code__in=seen) | expected, merchant=run.merchant_id)
    return found.select_related("version").iterator(chunk_size=500)


def _look_again(
    run: Reconciliation, page: Page, seen: dict[str, Sighting], suspects: list[int]
) -> tuple[list[Finding], int]:
    """Judge the suspects under their locks; how many of them were on the move."""
    findings: list[Finding] = []
    moving = moving_coupons([coupon.pk for coupon in lifecycle.lock(suspects)], page.asked_at) if suspects else set()
    locked = IssuedCoupon.objects.select_related("version").filter(pk__in=suspects).order_by("pk")
    for coupon in locked:
        found = _judge(coupon, seen, page)
        if found is not None and coupon.pk not in moving:
            customer_id = seen[coupon.code].customer_id if coupon.code in seen else coupon.customer_id
            findings.append(_finding(run, page, found, coupon.code, customer_id=customer_id, coupon=coupon))
    return findings, len(moving)


def _judge(coupon: IssuedCoupon, seen: dict[str, Sighting], page: Page) -> Difference | None:
    now = timezone.now()
    if expiring_now(coupon, now):
        return None
    sighting = seen.get(coupon.code)
    if sighting is None and not _was_asked_about(coupon, page):
        return None
    return difference(
        coupon,
        sighting,
        at_home=sighting is not None and _at_home(coupon, sighting),
        over_there=over_at_dfire(coupon, local_day(page.asked_at)),
    )


def _was_asked_about(coupon: IssuedCoupon, page: Page) -> bool:
    """Whether every list was read in which dfire may show the coupon."""
    read = page.places_read()
    told = told_identities(coupon)
    if not told:  # dfire was never told: whatever list of the customer's there is, was read
        return coupon.delivery != Delivery.DELIVERED
    return all((place["appid"], place["openid"]) in read for place in told)


def _at_home(coupon: IssuedCoupon, sighting: Sighting) -> bool:
    """Whether it stands where dfire was told of it; for one that we know nothing of, where its customer is."""
    if coupon.delivery != Delivery.DELIVERED and coupon.customer_id == sighting.customer_id:
        return True
    told = told_identities(coupon)
    return any((place["appid"], place["openid"]) == (sighting.appid, sighting.openid) for place in told)


def _finding(
    run: Reconciliation,
    page: Page,
    found: Difference,
    code: str,
    *,
    customer_id: int,
    coupon: IssuedCoupon | None = None,
) -> Finding:
    return Finding(
        run=run,
        kind=found.kind,
        subject=code[:100],
        coupon=coupon,
        template_id=coupon.template_id if coupon else None,
        customer_id=customer_id or None,
        details=found.details,
        repair=found.repair,
        read_at=page.asked_at,
    )
