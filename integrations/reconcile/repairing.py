"""Repairs what has been decided, one finding at a time: lock, look again whether it is still so, hand it over.

The coupon is told to dfire by the same outbox, handlers and order as everything else; its history says who wanted it.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery, EventKind
from coupons.errors import Refused
from coupons.models import IssuedCoupon, TemplateVersion
from integrations.models import Finding
from integrations.models.reconcile import Drift, FindingState, Repair
from integrations.outbox.settling import DATABASE_AWAY
from integrations.reconcile import imports, runs
from integrations.reconcile.movement import moving_coupons
from integrations.sync import again, redemptions
from integrations.sync.identities import Identity
from merchants.clock import local_day

logger = logging.getLogger(__name__)

_BATCH = 200


class NotNow(Exception):
    """It cannot be repaired as things are; `why` is a key of `words`. The finding stays open."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def repair_queued() -> int:
    """Repair what has been decided, until nothing is left. Returns how many findings were looked at."""
    done = 0
    after = 0
    queued = Finding.objects.filter(state=FindingState.QUEUED).order_by("pk")
    while batch := list(queued.filter(pk__gt=after).values_list("pk", "coupon_id", "run_id")[:_BATCH]):
        for pk, coupon_id, _run in batch:
            _repair_one(pk, coupon_id)
        for run_id in {run_id for _pk, _coupon, run_id in batch}:
            runs.settle_if_done(run_id)
        after = batch[-1][0]
        done += len(batch)
    return done


def _repair_one(pk: int, coupon_id: int | None) -> None:
    try:
        _repair(pk, coupon_id)
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("Finding %s could not be repaired.", pk)
        Finding.objects.filter(pk=pk, state=FindingState.QUEUED).update(state=FindingState.OPEN, message="our_fault")


@transaction.atomic
def _repair(pk: int, coupon_id: int | None) -> None:
    coupon = lifecycle.lock([coupon_id])[0] if coupon_id else None
    finding = (
        Finding.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("run__merchant", "decided_by", "customer", "template")
        .filter(pk=pk, state=FindingState.QUEUED)
        .first()
    )
    if finding is None:  # another worker has it
        return
    try:
        with transaction.atomic():
            _still_so(finding, coupon)
            _HANDS[Repair(finding.repair)](finding, coupon)
            if coupon is not None:
                lifecycle.note(coupon, EventKind.RECONCILED, _actor(finding), _audit(finding))
            finding.state, finding.message = FindingState.REPAIRED, ""
    except _NoLongerSo:
        finding.state, finding.message = FindingState.STALE, "no_longer_so"
    except NotNow as refusal:
        finding.state, finding.message = FindingState.OPEN, refusal.why
    except Refused as refusal:
        finding.state, finding.message = FindingState.OPEN, refusal.message
    finding.save(update_fields=["state", "message"])


class _NoLongerSo(Exception):
    """It has changed since the plan was made."""


_HERE: dict[str, Callable[[IssuedCoupon], bool]] = {
    Drift.MISSING_THERE: lambda coupon: lifecycle.status_now(coupon) == CouponStatus.ISSUED,
    Drift.REDEEMED_THERE: lambda coupon: coupon.status != CouponStatus.REDEEMED,
    Drift.REDEEMED_HERE: lambda coupon: coupon.status == CouponStatus.REDEEMED,
    Drift.HOLDER_DIFFERS: lambda coupon: lifecycle.status_now(coupon) == CouponStatus.ISSUED,
    Drift.STILL_HELD: lambda coupon: coupon.status in (CouponStatus.REVOKED, CouponStatus.EXPIRED),
    Drift.UNDELIVERED_HERE: lambda coupon: (
        lifecycle.status_now(coupon) == CouponStatus.ISSUED and coupon.delivery != Delivery.DELIVERED
    ),
}


def _still_so(finding: Finding, coupon: IssuedCoupon | None) -> None:
    """Our side must be as it was found, and nothing may have happened since; dfire's side is asked again behind it."""
    if coupon is None:
        if finding.kind == Drift.UNKNOWN_HERE and IssuedCoupon.objects.filter(code=finding.subject).exists():
            raise _NoLongerSo
        return
    if not _HERE[finding.kind](coupon) or moving_coupons([coupon.pk], finding.read_at):
        raise _NoLongerSo


def _deliver_again(finding: Finding, coupon: IssuedCoupon | None) -> None:
    assert coupon is not None  # nosec B101 # for the type checker
    lifecycle.mark_missing(coupon, details=_audit(finding))
    again.deliver(coupon)


def _take_delivered(finding: Finding, coupon: IssuedCoupon | None) -> None:
    assert coupon is not None  # nosec B101 # for the type checker
    again.deliver(coupon, seen=_seen(finding))
    lifecycle.mark_delivery(coupon, Delivery.QUEUED)


def _redeem_here(finding: Finding, coupon: IssuedCoupon | None) -> None:
    assert coupon is not None  # nosec B101 # for the type checker
    if not redemptions.conclude(coupon):
        lifecycle.redeem_at_till(coupon, at=finding.read_at, details=_audit(finding))


def _verify_there(finding: Finding, coupon: IssuedCoupon | None) -> None:
    assert coupon is not None  # nosec B101 # for the type checker
    redeemed: datetime = coupon.redeemed_at or timezone.now()
    again.verify(coupon, seen=_seen(finding), order_id=f"reconcile-{coupon.code}", order_date=local_day(redeemed))


def _withdraw_there(finding: Finding, coupon: IssuedCoupon | None) -> None:
    if coupon is not None:
        again.withdraw(coupon, seen=_seen(finding))
        return
    merchant = finding.run.merchant
    versions = TemplateVersion.objects.filter(template__merchant=merchant).order_by("-pk")
    promotions = list(versions.values_list("promotion_id", flat=True))
    if not again.withdraw_unknown(merchant, code=finding.subject, seen=_seen(finding), promotion_ids=promotions):
        raise NotNow("no_promotion")


def _bring_home(finding: Finding, coupon: IssuedCoupon | None) -> None:
    assert coupon is not None  # nosec B101 # for the type checker
    again.withdraw(coupon, seen=_seen(finding), held_elsewhere=True)
    lifecycle.mark_missing(coupon, details=_audit(finding))
    again.deliver(coupon)


def _save_again(finding: Finding, coupon: IssuedCoupon | None) -> None:
    version = TemplateVersion.objects.select_related("template__merchant").filter(promotion_id=finding.subject).first()
    if version is None:
        raise _NoLongerSo
    again.save(version)


def _import_draft(finding: Finding, coupon: IssuedCoupon | None) -> None:
    try:
        finding.template = imports.import_draft(
            finding.run.merchant, promotion_id=finding.subject, there=finding.details, by=finding.decided_by
        )
    except imports.NotImportable as refusal:
        raise NotNow(refusal.why) from None
    finding.save(update_fields=["template"])


_HANDS: dict[Repair, Callable[[Finding, IssuedCoupon | None], None]] = {
    Repair.DELIVER_AGAIN: _deliver_again,
    Repair.TAKE_DELIVERED: _take_delivered,
    Repair.REDEEM_HERE: _redeem_here,
    Repair.VERIFY_THERE: _verify_there,
    Repair.WITHDRAW_THERE: _withdraw_there,
    Repair.BRING_HOME: _bring_home,
    Repair.SAVE_AGAIN: _save_again,
    Repair.IMPORT_DRAFT: _import_draft,
}


def _seen(finding: Finding) -> Identity:
    """Where dfire was seen to hold it, with the mobile number that its calls want."""
    mobile = finding.customer.mobile if finding.customer else ""
    if finding.coupon is not None and finding.coupon.delivered_openid == finding.details.get("openid"):
        mobile = finding.coupon.delivered_mobile or mobile
    if not mobile:
        raise NotNow("no_mobile")
    return {"appid": finding.details["appid"], "openid": finding.details["openid"], "mobile": mobile}


def _audit(finding: Finding) -> dict[str, Any]:
    """What the coupon's history says: which run found what, and what is done about it."""
    return {"run": finding.run_id, "found": finding.kind, "repair": finding.repair}


def _actor(finding: Finding) -> str:
    """Who decided; the portal itself at night."""
    return f"staff:{finding.decided_by.get_username()}" if finding.decided_by else lifecycle.PORTAL
