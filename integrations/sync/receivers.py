"""Turns what happens to coupons, templates, customers and merchants into outbox rows, in the same transaction.

Imported once, by the application's `ready`.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, prefetch_related_objects
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from coupons import lifecycle, signals
from coupons.choices import Delivery, Source, TemplateStatus
from coupons.errors import Reason, Refused
from coupons.issuing import Issued
from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind, RowState
from integrations.outbox import doorbell, holding, pace
from integrations.outbox.evidence import may_have_happened
from integrations.outbox.handlers import register
from integrations.outbox.queue import EXPIRY_PRIORITY, put, put_like, row_for
from integrations.sync import redemptions, release
from integrations.sync.deliveries import Deliver, missing_binding
from integrations.sync.identities import held_perhaps, may_be_held, over_at_dfire, told_identity
from integrations.sync.promotions import DeletePromotion, SavePromotion, dfire_knows, landed_by
from integrations.sync.transfers import GIVER, Transfer, redeemed_meanwhile
from integrations.sync.verifications import Verify
from integrations.sync.withdrawals import Withdraw, WithdrawUnknown
from integrations.sync.words import NOT_CONNECTED, NOT_NEEDED
from merchants.clock import local_day
from merchants.models import Customer, DfireAccount, Merchant
from merchants.signals import customers_bound

register(RowKind.SAVE_PROMOTION, SavePromotion())
register(RowKind.DELETE_PROMOTION, DeletePromotion())
register(RowKind.DELIVER, Deliver())
register(RowKind.WITHDRAW, Withdraw())
register(RowKind.TRANSFER, Transfer())
register(RowKind.WITHDRAW_UNKNOWN, WithdrawUnknown())
register(RowKind.VERIFY, Verify())


@receiver(signals.version_published)
def _save_at_dfire(version: TemplateVersion, **kwargs: Any) -> None:
    if not version.coupons.exists():  # its terms may have changed, so nothing is delivered before they are saved
        TemplateVersion.objects.filter(pk=version.pk).update(saved_at=None)
    template = version.template
    if _unsent_saves(template).filter(version=version).select_for_update(skip_locked=True).exists():
        return  # it will be sent with the terms of that moment
    put([row_for(RowKind.SAVE_PROMOTION, template.merchant, template=template, version=version)])


@receiver(signals.template_deleted)
def _delete_at_dfire(template: CouponTemplate, promotion_ids: list[str], **kwargs: Any) -> None:
    _cancel(_unsent_saves(template))
    refused = OutboxRow.objects.filter(template=template, coupon=None, kind=RowKind.SAVE_PROMOTION, state=RowState.DEAD)
    refused.update(state=RowState.CANCELLED, settled_at=timezone.now())  # there is nothing to mend any more
    versions = TemplateVersion.objects.filter(template=template, promotion_id__in=promotion_ids)
    rows = []
    for version in versions.order_by("number"):
        if dfire_knows(version):
            details = {"promotion_id": version.promotion_id, "title": template.title}
            row = row_for(RowKind.DELETE_PROMOTION, template.merchant, template=template, details=details)
            row.available_at = landed_by(version)  # a save that lands after its deletion would stay
            rows.append(row)
    put(rows)


@receiver(signals.coupon_issued)
def _deliver(version: TemplateVersion, coupon: IssuedCoupon, **kwargs: Any) -> None:
    merchant = version.template.merchant
    if version.template.status == TemplateStatus.ENDED:  # a replacement, for nothing else is issued of it
        _refuse_if_deleted(version.template)
    missing = _missing(coupon.customer, merchant)
    row = row_for(
        RowKind.DELIVER, merchant, template=version.template, version=version, coupon=coupon, waits=bool(missing)
    )
    row.last_message = missing
    if missing:
        coupon.delivery = Delivery.WAITING
        lifecycle.mark_all_waiting([coupon.pk], missing=missing)
    else:
        row.held = holding.holds_back(version)
    put([row])
    if row.held:
        holding.release_on_commit(version.template_id)


@receiver(signals.coupons_issued)
def _deliver_many(version: TemplateVersion, issued: list[Issued], **kwargs: Any) -> None:
    merchant, held = version.template.merchant, holding.holds_back(version)
    by_missing: dict[str, list[int]] = {}
    for coupon in issued:
        by_missing.setdefault(_missing(coupon, merchant), []).append(coupon.coupon_id)
    for missing, coupon_ids in by_missing.items():
        example = row_for(RowKind.DELIVER, merchant, template=version.template, version=version, waits=bool(missing))
        example.last_message = missing
        example.held = held and not missing
        if missing:
            lifecycle.mark_all_waiting(coupon_ids, missing=missing)
        put_like(example, coupon_ids)
    if held:
        holding.release_on_commit(version.template_id)


def _missing(customer: Customer | Issued, merchant: Merchant) -> str:
    """What a new coupon waits for, or nothing."""
    missing = missing_binding(customer, merchant)
    return missing or ("" if merchant.dfire_account_id is not None else NOT_CONNECTED)


def _refuse_if_deleted(template: CouponTemplate) -> None:
    """A template that was deleted with used coupons is gone at dfire: no till would take another of it."""
    if OutboxRow.objects.filter(template=template, coupon=None, kind=RowKind.DELETE_PROMOTION).exists():
        raise Refused(Reason.DELETED_AT_DFIRE)


@receiver(signals.coupons_revoked)
def _withdraw_revoked(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    _withdraw(coupons)


@receiver(signals.coupons_expired)
def _withdraw_expired(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    _withdraw(coupons, priority=EXPIRY_PRIORITY)


def _withdraw(coupons: Iterable[IssuedCoupon], priority: int | None = None) -> None:
    """Where dfire may hold a coupon, take it back; where it was never told, there is nothing to say."""
    rows = []
    today = local_day(timezone.now())
    coupons = list(coupons)
    prefetch_related_objects(coupons, "merchant", "template", "version")
    _cancel(_never_sent(coupons))
    held = held_perhaps(coupons)
    under_way = set(_unsettled(coupons).filter(kind=RowKind.WITHDRAW).values_list("coupon", flat=True))
    for coupon in coupons:
        if coupon.pk not in held or coupon.pk in under_way or over_at_dfire(coupon, today):
            continue
        row = row_for(RowKind.WITHDRAW, coupon.merchant, template=coupon.template, coupon=coupon)
        row.priority = row.priority if priority is None else priority
        rows.append(row)
    put(rows)


def _never_sent(coupons: list[IssuedCoupon]) -> QuerySet[OutboxRow]:
    """The coupons' deliveries, unless dfire may have heard of them, and their transfers between two steps."""
    heard = may_have_happened(OutboxAttempt.objects.filter(row__coupon__in=coupons)).values("row")
    ours = _unsettled(coupons).filter(phase=Phase.SEND)
    return ours.filter(Q(kind=RowKind.DELIVER) & ~Q(pk__in=heard) | Q(kind=RowKind.TRANSFER))


@receiver(signals.coupons_redeemed)
def _nothing_more_to_say(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    """A redemption proves the delivery and makes every other message moot."""
    for coupon in coupons:
        # The last transfer, also one that a revoke has cut off: dfire may hold the coupon under its giver still.
        moving = OutboxRow.objects.filter(coupon=coupon, kind=RowKind.TRANSFER).order_by("-id").first()
        in_flight = moving is not None and moving.state == RowState.SENDING
        open_question = moving is not None and not in_flight and not redeemed_meanwhile(moving, coupon)
        moot = _unsettled([coupon]).exclude(pk__in=[moving.pk] if moving and open_question else [])
        # Where it was not a till, dfire has still to be told.
        _cancel(moot if coupon.redeemed_through == Source.TILL else moot.exclude(kind=RowKind.VERIFY))
    redemptions.till_was_first(coupons)


@receiver(signals.coupon_transferred)
def _move(coupon: IssuedCoupon, giver: Customer, **kwargs: Any) -> None:
    """What dfire has not heard of goes straight to the receiver; else it is moved, behind what is under way.

    The rows are locked before anything is looked up: whoever claims one from here on sees the new holder.
    """
    carrying = _unsettled([coupon]).filter(kind__in=(RowKind.DELIVER, RowKind.TRANSFER))
    under_way = {row.kind: row for row in carrying.select_for_update(no_key=True, of=("self",)).order_by("pk")}
    moving, going = under_way.get(RowKind.TRANSFER), under_way.get(RowKind.DELIVER)
    for row in under_way.values():
        if row.state == RowState.WAITING and row.account_id is not None:
            row.state = RowState.QUEUED
            row.available_at = row.queued_at = timezone.now()
    if moving is not None:
        moving.details = {**moving.details, GIVER: giver.pk}
    OutboxRow.objects.bulk_update(under_way.values(), ["state", "available_at", "queued_at", "details"])
    told = told_identity(coupon)
    if moving is None and (going is None or told):
        kind = RowKind.TRANSFER if told else RowKind.DELIVER
        row = row_for(kind, coupon.merchant, template=coupon.template, version=coupon.version, coupon=coupon)
        row.details = {GIVER: giver.pk} if told else {}
        row.phase = Phase.ASK if told and not coupon.delivered_openid else Phase.SEND
        put([row])
    _ring_on_commit()


@receiver(signals.delivery_wanted)
def _deliver_again(coupon: IssuedCoupon, **kwargs: Any) -> None:
    """Staff ask for another try. What dfire may have heard of is asked about first, and not before its time."""
    if coupon.delivery == Delivery.DELIVERED:
        return
    under_way = _unsettled([coupon]).filter(kind=RowKind.DELIVER)
    if under_way.exists():
        under_way.filter(state=RowState.QUEUED, phase=Phase.SEND).update(available_at=timezone.now())
        _ring_on_commit()
        return
    row = row_for(RowKind.DELIVER, coupon.merchant, template=coupon.template, version=coupon.version, coupon=coupon)
    row.phase = Phase.ASK if may_be_held(coupon) else Phase.SEND
    put([row])
    lifecycle.mark_delivery(coupon, Delivery.QUEUED)


@receiver(post_save, sender=Customer)
def _customer_bound(instance: Customer, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw:
        release.customer(instance)


@receiver(customers_bound)
def _customers_bound(customers: list[Customer], **kwargs: Any) -> None:
    release.customers(customers)


@receiver(post_save, sender=Merchant)
def _merchant_connected(instance: Merchant, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw:
        release.merchant(instance)


@receiver(post_save, sender=DfireAccount)
def _account_mended(instance: DfireAccount, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw:
        pace.probe_soon(instance)
        _ring_on_commit()


def _unsent_saves(template: CouponTemplate) -> QuerySet[OutboxRow]:
    """Asked in the words of the index on a template's own rows."""
    return OutboxRow.objects.filter(
        template=template, coupon=None, kind=RowKind.SAVE_PROMOTION, state__in=[RowState.QUEUED, RowState.WAITING]
    )


def _unsettled(coupons: Iterable[IssuedCoupon]) -> QuerySet[OutboxRow]:
    return OutboxRow.objects.filter(coupon__in=list(coupons), state__in=UNSETTLED)


def _cancel(rows: QuerySet[OutboxRow]) -> None:
    """Cancel those of the rows that no worker holds; a row in flight is settled by whoever holds it."""
    idle = rows.filter(state__in=[RowState.QUEUED, RowState.WAITING])
    ids = [row.pk for row in idle.select_for_update(no_key=True, of=("self",)).order_by("pk")]
    OutboxRow.objects.filter(pk__in=ids).update(
        state=RowState.CANCELLED, last_message=NOT_NEEDED, settled_at=timezone.now()
    )


def _ring_on_commit() -> None:
    transaction.on_commit(doorbell.ring, robust=True)
