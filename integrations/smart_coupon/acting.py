"""What a push makes happen: a published template, or an issued coupon."""

from datetime import datetime

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from coupons import issuing, templates
from coupons.choices import Source
from coupons.errors import Refused
from coupons.issuing import Through
from coupons.models import CouponTemplate, IssuedCoupon
from coupons.validation import term_problems
from integrations.hooks.refusals import HookCode, HookRefused, from_reason, invalid
from integrations.smart_coupon.pushes import CreateCoupon, GiveCoupon
from merchants import customers
from merchants.clock import local_day
from merchants.models import Merchant, SmartCouponAccount

# Which of the push's fields a template's field came from, for messages.
_PUSHED_AS = {
    "title": "coupon_name",
    "amount_fen": "coupon_amount",
    "percent_paid": "coupon_amount",
    "min_spend_fen": "min_buy_price",
    "end_date": "expiration_time",
    "valid_days": "expiration_interval",
}


def create(account: SmartCouponAccount, push: CreateCoupon) -> CouponTemplate:
    """Make and publish the template that a push describes.

    Raises:
        HookRefused: unknown merchant, or terms that cannot be promised.
    """
    merchant = _merchant(account, push.merchant_id)
    now = timezone.now()
    today = local_day(now)
    if push.expires_at is not None:
        _check_not_passed(push.expires_at, now)
    template = CouponTemplate(
        merchant=merchant,
        title=push.title,
        kind=push.kind,
        amount_fen=push.amount_fen,
        percent_paid=push.percent_paid,
        min_spend_fen=push.min_spend_fen,
        start_date=today,
        end_date=push.end_date or today + relativedelta(years=settings.PUSH_OPEN_ENDED_YEARS),
        valid_days=push.valid_days,
        source_account=account,
    )
    if problems := term_problems(template.terms()):  # before it is stored: the database would say it less kindly
        field, messages = next(iter(problems.items()))
        raise invalid(_PUSHED_AS.get(field, field), " ".join(messages))
    template.save()
    templates.publish(template)
    return template


def give(account: SmartCouponAccount, push: GiveCoupon) -> IssuedCoupon:
    """Issue the coupon that a push gives to a customer.

    Raises:
        HookRefused: unknown merchant or coupon, or a rule that says no.
    """
    merchant = _merchant(account, push.merchant_id)
    template = _template(merchant, push.coupon_id)
    _check_not_passed(push.expires_at, timezone.now())
    customer = customers.find_or_create(merchant, push.identifier)
    through = Through(source=Source.PUSH, actor=f"push:{account.name}", account=account)
    try:
        return issuing.issue(template=template, customer=customer, through=through, valid_until=push.expires_at)
    except Refused as refused:
        raise from_reason(refused.reason) from None


def _template(merchant: Merchant, coupon_id: str) -> CouponTemplate:
    """The template with our id, or with dfire's own."""
    own = CouponTemplate.objects.filter(merchant=merchant)
    found = own.filter(coupon_id=coupon_id).first() or own.filter(versions__dfire_id=coupon_id).first()
    if found is None:
        raise HookRefused(HookCode.UNKNOWN_COUPON, "this merchant has no such coupon.", field="coupon_id")
    return found


def _check_not_passed(end: datetime, now: datetime) -> None:
    if end <= now:
        raise HookRefused(HookCode.EXPIRATION_PASSED, "lies in the past.", field="expiration_time")


def _merchant(account: SmartCouponAccount, merchant_id: str) -> Merchant:
    """A merchant that this account may push for; another's looks the same as none."""
    merchant = account.merchants.filter(merchant_id=merchant_id).first()
    if merchant is None:
        raise HookRefused(HookCode.UNKNOWN_MERCHANT, "no such merchant.", field="merchant_id")
    return merchant
