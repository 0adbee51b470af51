"""What is judged and what is asked: the coupon as plain values, and the circumstances in which it is to be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coupons.choices import Channel, CouponStatus, Delivery
from coupons.terms import Terms
from coupons.validation import SENSIBLE_YEARS


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One coupon. Times are aware; the whole seconds of `valid_from` and of `valid_until` count as valid.

    `status` is as of now (`lifecycle.status_now`). `shops` are the names of its merchant's shops by their dfire entity
    ids; None where they are not known, and then no shop is refused for being another merchant's.
    """

    terms: Terms
    status: CouponStatus
    delivery: Delivery
    valid_from: datetime
    valid_until: datetime
    shops: Mapping[str, str] | None = None
    delivered_at: datetime | None = None
    redeemed_at: datetime | None = None
    redeemed_shop: str = ""
    ended_at: datetime | None = None

    def shop_name(self, entity_id: str) -> str:
        """A shop's name; its entity id where it has none."""
        return (self.shops or {}).get(entity_id) or entity_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The circumstances: a moment (aware) and, where known, a shop, a bill in fen before the coupon, and a channel.

    What is None is not asked; rules that depend on it say so.

    Raises:
        ValueError: a moment that is naive or whose year is none of 2000-2199, a bill below 0, an unknown channel.
    """

    moment: datetime
    shop_entity_id: str | None = None
    amount_fen: int | None = None
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.moment.tzinfo is None or self.moment.year not in SENSIBLE_YEARS:
            raise ValueError("the moment must be aware and lie in the years 2000-2199")
        if self.amount_fen is not None and self.amount_fen < 0:
            raise ValueError("a bill is never below 0")
        if self.channel is not None and self.channel not in Channel.values:
            raise ValueError(f"unknown channel {self.channel}")
