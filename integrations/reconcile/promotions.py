"""The merchant's promotions against dfire's list: title, local dates and shops, which is all that the list says.

dfire gives an end as 00:00 of the last day, so only Shanghai dates are compared. What is over by its dates, ours or
dfire's, is nobody's business any more.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q

from coupons.choices import CouponStatus, TemplateStatus
from coupons.models import CouponTemplate, TemplateVersion
from integrations.dfire import Promotion
from integrations.models import OutboxRow, Reconciliation
from integrations.models.outbox import UNSETTLED, RowKind
from integrations.models.reconcile import Drift, Finding, Repair
from integrations.reconcile.movement import quiet_since
from integrations.reconcile.pages import Page
from integrations.sync.promotion_terms import last_day_of_use
from merchants.clock import local_day
from merchants.models import Merchant, Shop


def promotion_findings(run: Reconciliation, page: Page) -> tuple[list[Finding], int]:
    """What differs, and how many promotions were on the move and have been left alone."""
    listed: list[Promotion] = page.answers[0].rows or []
    today = local_day(page.asked_at)
    moving = _moving_templates(run.merchant, page)
    findings: list[Finding] = []
    left = 0
    for version in _expected(run.merchant, today):
        found = next((one for one in listed if is_promotion_of(one, version)), None)
        details = _differences(version, found, run.merchant)
        if details and version.template_id in moving:
            left += 1
        elif details:
            kind = Drift.PROMOTION_DIFFERS if found else Drift.PROMOTION_MISSING
            findings.append(
                Finding(
                    run=run, kind=kind, subject=version.promotion_id, template=version.template, details=details,
                    repair=Repair.SAVE_AGAIN, read_at=page.asked_at,
                )
            )  # fmt: skip
    findings += [
        Finding(
            run=run, kind=Drift.PROMOTION_UNKNOWN, subject=promotion_key(one), details=_there(one),
            repair=Repair.IMPORT_DRAFT, read_at=page.asked_at,
        )
        for one in _only_there(listed, today)
    ]  # fmt: skip
    return findings, left


def promotion_key(promotion: Promotion) -> str:
    """Under which ID it would be kept here: the one it was made with, else dfire's own."""
    return promotion.third_promotion_id or promotion.id


def _expected(merchant: Merchant, today: date) -> Iterable[TemplateVersion]:
    """The versions that dfire must know: the present terms of open templates, and those under which coupons are out."""
    versions = (
        TemplateVersion.objects.filter(template__merchant=merchant, saved_at__isnull=False)
        .select_related("template")
        .order_by("pk")
    )
    for version in versions.iterator(chunk_size=200):
        if last_day_of_use(version.terms) < today:
            continue
        latest = not TemplateVersion.objects.filter(template=version.template_id, number__gt=version.number).exists()
        offered = latest and version.template.status in (TemplateStatus.PUBLISHED, TemplateStatus.PAUSED)
        if offered or version.coupons.filter(status__in=[CouponStatus.ISSUED, CouponStatus.REDEEMING]).exists():
            yield version


def _differences(version: TemplateVersion, found: Promotion | None, merchant: Merchant) -> dict[str, Any]:
    """Both sides of each field that differs; empty if none does."""
    if found is None:
        return {"title": [version.terms.title, None]}
    terms = version.terms
    pairs: dict[str, tuple[Any, Any]] = {}
    if found.title.strip() != terms.title.strip():
        pairs["title"] = (terms.title, found.title)
    for name, ours, theirs in (
        ("start_date", terms.start_date, found.start_date),
        ("end_date", last_day_of_use(terms), found.end_date),
    ):
        if theirs is not None and theirs != ours:  # a date that dfire does not give is no other date
            pairs[name] = (ours.isoformat(), theirs.isoformat())
    if not same_shops(set(terms.shop_entity_ids), set(found.chain_store_ids), merchant):
        pairs["shops"] = (sorted(terms.shop_entity_ids), sorted(found.chain_store_ids))
    return {name: list(pair) for name, pair in pairs.items()}


def same_shops(ours: set[str], theirs: set[str], merchant: Merchant) -> bool:
    """None named means all; dfire may name all of them instead."""
    if ours == theirs:
        return True
    if ours:
        return False
    known = set(Shop.objects.filter(merchant=merchant).values_list("entity_id", flat=True))
    return bool(known) and known <= theirs


def _only_there(listed: list[Promotion], today: date) -> Iterable[Promotion]:
    """Those that nobody here knows: no version, no template with that ID, and none that is being deleted."""
    ids = {one for promotion in listed for one in (promotion.id, promotion.third_promotion_id) if one}
    versions = TemplateVersion.objects.filter(Q(promotion_id__in=ids) | Q(dfire_id__in=ids))
    known = {one for pair in versions.values_list("promotion_id", "dfire_id") for one in pair}
    known |= set(CouponTemplate.objects.filter(coupon_id__in=ids).values_list("coupon_id", flat=True))
    deleting = OutboxRow.objects.filter(kind=RowKind.DELETE_PROMOTION, state__in=UNSETTLED)
    known |= set(deleting.values_list("details__promotion_id", flat=True))
    seen: set[str] = set()
    for promotion in listed:
        key = promotion_key(promotion)
        over = promotion.end_date is not None and promotion.end_date < today
        if key and key not in seen and not over and not known & {promotion.id, promotion.third_promotion_id}:
            seen.add(key)
            yield promotion


def is_promotion_of(promotion: Promotion, version: TemplateVersion) -> bool:
    """Whether dfire's promotion is the one that was saved for the version."""
    if promotion.third_promotion_id == version.promotion_id:
        return True
    return bool(promotion.id) and promotion.id in (version.dfire_id, version.promotion_id)


def _moving_templates(merchant: Merchant, page: Page) -> set[int | None]:
    """Templates of which something is on its way to dfire, or has got there since the list was asked for."""
    rows = OutboxRow.objects.filter(merchant=merchant, coupon=None, template__isnull=False)
    under_way = Q(state__in=UNSETTLED) | Q(settled_at__gte=quiet_since(page.asked_at))
    return set(rows.filter(under_way).values_list("template_id", flat=True))


def _there(promotion: Promotion) -> dict[str, Any]:
    return {
        "title": promotion.title[:100],
        "start_date": promotion.start_date.isoformat() if promotion.start_date else None,
        "end_date": promotion.end_date.isoformat() if promotion.end_date else None,
        "shops": list(promotion.chain_store_ids),
        "dfire_id": promotion.id,
    }
