"""The one door to the rules for those who hold a coupon's row: fetches what is judged, and asks `coupons.rules`."""

from datetime import datetime

from coupons.choices import CouponStatus, Delivery
from coupons.lifecycle import status_now
from coupons.models import IssuedCoupon
from coupons.rules import Judgement, Question, Subject, judge
from merchants.models import Shop


def check(coupon: IssuedCoupon, question: Question, *, now: datetime | None = None) -> Judgement:
    """Whether the coupon can be used so, and if not, why not and when next.

    Reads its terms, its merchant and the merchant's shops; changes nothing. `now` (aware, default: the present) is
    when the status is read: an issued coupon whose end has passed by then has expired.
    """
    return judge(subject_of(coupon, now=now), question)


def subject_of(coupon: IssuedCoupon, *, now: datetime | None = None) -> Subject:
    """The coupon as the rules see it."""
    return Subject(
        terms=coupon.version.terms,
        status=CouponStatus(status_now(coupon, now)),
        delivery=Delivery(coupon.delivery),
        valid_from=coupon.valid_from,
        valid_until=coupon.valid_until,
        shops=shops_of(coupon),
        delivered_at=coupon.delivered_at,
        redeemed_at=coupon.redeemed_at,
        redeemed_shop=coupon.redeemed_shop.name if coupon.redeemed_shop is not None else "",
        ended_at=coupon.ended_at,
    )


def shops_of(coupon: IssuedCoupon) -> dict[str, str]:
    """The names of the merchant's shops by entity id; the merchant's own id too, as single shops are known by it."""
    merchant = coupon.merchant
    own = {merchant.entity_id: merchant.name} if merchant.entity_id else {}
    return own | dict(Shop.objects.filter(merchant=merchant).order_by("name").values_list("entity_id", "name"))
