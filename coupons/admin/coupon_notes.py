"""What to know of a coupon now, above everything else on its page: what is unusual, why something cannot be done, and
what to do about what dfire has not been told.
"""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext

from coupons import lifecycle
from coupons.admin.extension import Left, dfire_advice
from coupons.admin.wording import flag_words, moment_text
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon, Reissue


def notes(coupon: IssuedCoupon) -> list[Left]:
    """In the order in which they matter."""
    flagged = [Left(flag_words(coupon.flag), "warning")] if coupon.flag else []
    return [*flagged, *_about_state(coupon), *dfire_advice(coupon), *_replacements(coupon)]


def _about_state(coupon: IssuedCoupon) -> Iterator[Left]:
    match lifecycle.status_now(coupon):
        case CouponStatus.REDEEMING if not coupon.flag:  # else it is staff's to decide, as the flag says
            yield Left(
                gettext("It is being redeemed this moment. Nothing can be done to it until that is settled."), "warning"
            )
        case CouponStatus.REVOKED:
            yield Left(
                gettext(
                    "It was revoked on %(time)s and cannot be used any more. Issue a new one on the template's page."
                )
                % {"time": moment_text(coupon.ended_at)},
                "info",
            )
        case CouponStatus.EXPIRED:
            yield Left(gettext("Its time is over. Issue a new one on the template's page."), "info")


def _replacements(coupon: IssuedCoupon) -> Iterator[Left]:
    links = Reissue.objects.select_related("original", "replacement")
    if replaced := links.filter(original=coupon).first():
        yield Left(
            gettext("Its order was cancelled, and %(code)s replaces it. It stays redeemed in all figures.")
            % {"code": replaced.replacement.code},
            "info",
            _page(replaced.replacement),
        )
    elif coupon.status == CouponStatus.REDEEMED and coupon.customer.erased_at is not None:
        yield Left(gettext("Its holder has been erased, so it cannot be replaced."), "info")
    if replaces := links.filter(replacement=coupon).first():
        yield Left(
            gettext("It replaces %(code)s, whose order was cancelled: it takes nothing from stock and budget.")
            % {"code": replaces.original.code},
            "info",
            _page(replaces.original),
        )


def _page(coupon: IssuedCoupon) -> str:
    return reverse("admin:coupons_issuedcoupon_change", args=[coupon.pk])
