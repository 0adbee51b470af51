"""What has moved since dfire was asked: a list is never compared with something that changes at the same moment.

A coupon or template with something on its way to dfire, or whose history went on after the question, is left for the
next run.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from coupons.models import CouponEvent
from integrations.models import OutboxRow
from integrations.models.outbox import UNSETTLED


def quiet_since(asked_at: datetime) -> datetime:
    """Up to when everything must have happened that a list asked for at `asked_at` is held against."""
    return asked_at - timedelta(seconds=settings.RECONCILE_QUIET_SECONDS)


def moving_coupons(coupon_ids: Collection[int], asked_at: datetime) -> set[int]:
    """Those of the coupons that were on the move. They should be locked, or they may begin to."""
    since = quiet_since(asked_at)
    rows = OutboxRow.objects.filter(Q(state__in=UNSETTLED) | Q(settled_at__gte=since), coupon__in=coupon_ids)
    events = CouponEvent.objects.filter(coupon__in=coupon_ids, at__gte=since)
    moving = set(rows.order_by().values_list("coupon_id", flat=True))
    moving |= set(events.order_by().values_list("coupon_id", flat=True))
    return {pk for pk in moving if pk is not None}
