"""Taking a promotion over that exists only at dfire: as a draft under dfire's ID, which staff complete and publish.

dfire's list says title, dates and shops, never the terms: a draft without its worth cannot be published.
"""

from datetime import date
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from coupons.choices import Kind
from coupons.models import CouponTemplate
from coupons.validation import LONGEST_TITLE, SENSIBLE_YEARS
from merchants.audit.recording import record
from merchants.audit.who import acting, current, for_user
from merchants.clock import local_day
from merchants.models import Merchant


class NotImportable(Exception):
    """It cannot be a template here; `why` is a key of `words`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@transaction.atomic
def import_draft(
    merchant: Merchant, *, promotion_id: str, there: dict[str, Any], by: AbstractBaseUser | None
) -> CouponTemplate:
    """Make the draft: its first version will keep `promotion_id`, so that publishing saves over dfire's own.

    Args:
        there: `title`, `start_date`, `end_date` (ISO or None) and `shops` as dfire lists them.

    Raises:
        NotImportable: the ID is known here already, or too long.
    """
    longest = CouponTemplate._meta.get_field("coupon_id").max_length or 0
    if len(promotion_id) > longest:
        raise NotImportable("id_too_long")
    if CouponTemplate.objects.filter(coupon_id=promotion_id).exists():
        raise NotImportable("known_already")
    start = _day(there.get("start_date")) or local_day(timezone.now())
    who = current() if by is None else for_user(by)
    with acting(lambda: who):
        draft = CouponTemplate.objects.create(
            merchant=merchant,
            coupon_id=promotion_id,
            title=(there.get("title") or promotion_id)[:LONGEST_TITLE],
            kind=Kind.CASH,
            start_date=start,
            end_date=max(start, _day(there.get("end_date")) or start),
            shop_entity_ids=list(there.get("shops") or []),
        )
        record(draft, gettext_noop("Imported from dfire."))
    return draft


def _day(text: str | None) -> date | None:
    """A day that a template can have; dfire's list may say anything."""
    day = date.fromisoformat(text) if text else None
    return day if day is not None and day.year in SENSIBLE_YEARS else None
