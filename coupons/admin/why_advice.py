"""What staff can do about each rule that forbids a coupon's use, with a link to where it is done."""

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from coupons.choices import Channel, Delivery
from coupons.errors import Reason
from coupons.models import IssuedCoupon
from coupons.money import yuan
from coupons.rules import Judgement, Question
from coupons.rules.words import listed
from merchants.models import Shop

OF_THE_CLOCK = {
    Reason.NOT_YET_VALID,
    Reason.WRONG_WEEKDAY,
    Reason.OUTSIDE_HOURS,
    Reason.NOT_ON_THIS_DATE,
    Reason.EXCLUDED_DATE,
}


class Advice(NamedTuple):
    """One thing to do; `link` leads there under the words of `label`."""

    words: str
    link: str = ""
    label: str = ""


def advice(request: HttpRequest, coupon: IssuedCoupon, question: Question, judgement: Judgement) -> list[Advice]:
    """What to do, in the order of the rules. When to come back is the judgement's next moment, if there is one."""
    found: list[Advice] = []
    for rule in judgement.reasons:
        code = rule.code
        if code in OF_THE_CLOCK:
            if judgement.next_usable_at is not None:
                continue
            said = Advice(gettext("There is no such moment any more before it ends."))
        elif code == Reason.WRONG_SHOP:
            said = _another_shop(coupon)
        elif code == Reason.WRONG_CHANNEL:
            channels = listed(str(Channel(one).label) for one in coupon.version.terms.channels)
            said = Advice(gettext("Order for: %(channels)s.") % {"channels": channels})
        elif code == Reason.BELOW_MINIMUM:
            missing = coupon.version.terms.min_spend_fen - (question.amount_fen or 0)
            said = Advice(gettext("Order for ¥%(missing)s more.") % {"missing": yuan(missing)})
        elif code == Reason.NOT_DELIVERED:
            said = _delivery(request, coupon)
        else:
            said = _STATES[code](request, coupon) if code in _STATES else Advice(rule.words)
        if said not in found:
            found.append(said)
    return found


def _another_shop(coupon: IssuedCoupon) -> Advice:
    allowed = coupon.version.terms.shop_entity_ids
    if not allowed:
        return Advice(gettext("Use it in a shop of its merchant."))
    names = dict(Shop.objects.filter(merchant=coupon.merchant_id).values_list("entity_id", "name"))
    return Advice(
        gettext("Use it in: %(shops)s.") % {"shops": listed(names.get(entity_id, entity_id) for entity_id in allowed)}
    )


def _delivery(request: HttpRequest, coupon: IssuedCoupon) -> Advice:
    if coupon.delivery == Delivery.WAITING:
        words = gettext("Once the customer's openid is known here, it is delivered by itself.")
        return Advice(words, *_page(request, "merchants.customer", coupon.customer_id, gettext("The customer")))
    if coupon.delivery == Delivery.FAILED:
        words = gettext("The timeline shows what dfire said. When that is mended, send it again.")
        return Advice(words, *_coupon(request, coupon))
    return Advice(gettext("Wait a minute and ask again. The timeline shows how far it is."), *_coupon(request, coupon))


def _used(request: HttpRequest, coupon: IssuedCoupon) -> Advice:
    words = gettext("The timeline shows who used it. If the order was cancelled, it can be replaced on its page.")
    return Advice(words, *_coupon(request, coupon))


def _in_use(request: HttpRequest, coupon: IssuedCoupon) -> Advice:
    return Advice(gettext("Let the order that holds it come to its end, and ask again."), *_coupon(request, coupon))


def _revoked(request: HttpRequest, coupon: IssuedCoupon) -> Advice:
    words = gettext("The timeline shows who revoked it and why. It stays revoked; issue another if it was a mistake.")
    return Advice(words, *_template(request, coupon))


def _expired(request: HttpRequest, coupon: IssuedCoupon) -> Advice:
    return Advice(gettext("It cannot be made longer. As a favour, issue another."), *_template(request, coupon))


_STATES: dict[Reason | None, Callable[[HttpRequest, IssuedCoupon], Advice]] = {
    Reason.REDEEMED: _used,
    Reason.REDEEMING: _in_use,
    Reason.REVOKED: _revoked,
    Reason.EXPIRED: _expired,
}


def _coupon(request: HttpRequest, coupon: IssuedCoupon) -> tuple[str, str]:
    return _page(request, "coupons.issuedcoupon", coupon.pk, gettext("The coupon's page"))


def _template(request: HttpRequest, coupon: IssuedCoupon) -> tuple[str, str]:
    return _page(request, "coupons.coupontemplate", coupon.template_id, gettext("Its template"))


def _page(request: HttpRequest, model: str, key: int, label: str) -> tuple[str, str]:
    """A link to a row's page, where the user may open it."""
    app, name = model.split(".")
    user = request.user
    if not any(user.has_perm(f"{app}.{right}_{name}") for right in ("view", "change")):
        return "", ""
    return reverse(f"admin:{app}_{name}_change", args=[key]), label
