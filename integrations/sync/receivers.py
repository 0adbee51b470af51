"""Turns what happens to coupons, templates, customers and merchants into outbox rows, in the same transaction.

Imported once, by the application's `ready`.
"""

from typing import Any

from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from coupons import lifecycle, signals
from coupons.choices import Delivery
from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind, RowState
from integrations.outbox import doorbell, pace
from integrations.outbox.handlers import register
from integrations.outbox.queue import put, row_for
from integrations.sync import release
from integrations.sync.deliveries import Deliver, Withdraw, missing_binding, told_identity
from integrations.sync.promotions import DeletePromotion, SavePromotion
from integrations.sync.words import NOT_CONNECTED, NOT_NEEDED
from merchants.models import Customer, DfireAccount, Merchant

register(RowKind.SAVE_PROMOTION, SavePromotion())
register(RowKind.DELETE_PROMOTION, DeletePromotion())
register(RowKind.DELIVER, Deliver())
register(RowKind.WITHDRAW, Withdraw())


@receiver(signals.version_published)
def _save_at_dfire(version: TemplateVersion, **kwargs: Any) -> None:
    waiting = OutboxRow.objects.filter(
        version=version, kind=RowKind.SAVE_PROMOTION, state__in=[RowState.QUEUED, RowState.WAITING]
    )
    if waiting.select_for_update(skip_locked=True).exists():
        return  # it has not been sent, and will be sent with the terms of that moment
    template = version.template
    put([row_for(RowKind.SAVE_PROMOTION, template.merchant, template=template, version=version)])


@receiver(signals.template_deleted)
def _delete_at_dfire(template: CouponTemplate, promotion_ids: list[str], **kwargs: Any) -> None:
    saves = OutboxRow.objects.filter(template=template, kind=RowKind.SAVE_PROMOTION)
    _cancel(saves.filter(coupon=None))
    if not saves.filter(attempts__isnull=False).exists():
        return
    put(
        row_for(
            RowKind.DELETE_PROMOTION,
            template.merchant,
            template=template,
            details={"promotion_id": promotion_id, "title": template.title},
        )
        for promotion_id in promotion_ids
    )


@receiver(signals.coupons_issued)
def _deliver(version: TemplateVersion, coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    rows = []
    for coupon in coupons:
        missing = missing_binding(coupon.customer, coupon.merchant)
        if not missing and coupon.merchant.dfire_account_id is None:
            missing = NOT_CONNECTED
        if missing:
            lifecycle.mark_delivery(coupon, Delivery.WAITING, details={"missing": missing})
        row = row_for(
            RowKind.DELIVER,
            coupon.merchant,
            template=coupon.template,
            version=version,
            coupon=coupon,
            waits=bool(missing),
        )
        row.last_message = missing
        rows.append(row)
    put(rows)


@receiver(signals.coupons_revoked)
@receiver(signals.coupons_expired)
def _withdraw(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    """Where dfire may hold the coupon, take it back; where it was never told, there is nothing to say."""
    rows = []
    for coupon in coupons:
        unsent = _unsettled(coupon).filter(kind=RowKind.DELIVER, phase=Phase.SEND, attempts=None)
        if _cancel(unsent):
            continue
        if _unsettled(coupon).filter(kind=RowKind.WITHDRAW).exists():
            continue
        known = told_identity(coupon) is not None
        over_there = coupon.dfire_valid_until is not None and coupon.dfire_valid_until <= timezone.now()
        if known and not over_there:
            rows.append(row_for(RowKind.WITHDRAW, coupon.merchant, template=coupon.template, coupon=coupon))
    put(rows)


@receiver(signals.coupons_redeemed)
def _nothing_more_to_say(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    """A redemption proves the delivery and makes every other message moot."""
    for coupon in coupons:
        _cancel(_unsettled(coupon))


@receiver(signals.delivery_wanted)
def _deliver_again(coupon: IssuedCoupon, **kwargs: Any) -> None:
    """Staff ask for another try. What dfire was told of before is asked about first."""
    if coupon.delivery == Delivery.DELIVERED:
        return
    open_rows = _unsettled(coupon).filter(kind=RowKind.DELIVER).exclude(state=RowState.SENDING)
    if open_rows.update(available_at=timezone.now(), state=RowState.QUEUED) == 0:
        row = row_for(
            RowKind.DELIVER, coupon.merchant, template=coupon.template, version=coupon.version, coupon=coupon
        )
        row.phase = Phase.ASK if told_identity(coupon) else Phase.SEND
        put([row])
    lifecycle.mark_delivery(coupon, Delivery.QUEUED)
    _ring_on_commit()


@receiver(post_save, sender=Customer)
def _customer_bound(instance: Customer, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw:
        release.customer(instance)


@receiver(post_save, sender=Merchant)
def _merchant_connected(instance: Merchant, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw:
        release.merchant(instance)


@receiver(post_save, sender=DfireAccount)
def _account_mended(instance: DfireAccount, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw:
        pace.probe_soon(instance)
        _ring_on_commit()


def _unsettled(coupon: IssuedCoupon) -> Any:
    return OutboxRow.objects.filter(coupon=coupon, state__in=UNSETTLED)


def _cancel(rows: Any) -> int:
    """Cancel those of the rows that no worker holds; a row in flight is settled by whoever holds it."""
    locked = rows.filter(~Q(state=RowState.SENDING)).select_for_update(no_key=True, of=("self",))
    ids = [row.pk for row in locked if row.state in (RowState.QUEUED, RowState.WAITING)]
    return int(
        OutboxRow.objects.filter(pk__in=ids).update(
            state=RowState.CANCELLED, last_message=NOT_NEEDED, settled_at=timezone.now()
        )
    )


def _ring_on_commit() -> None:
    from django.db import transaction

    transaction.on_commit(doorbell.ring, robust=True)
