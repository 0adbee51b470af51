"""What a push makes happen: a published template, or an issued coupon."""

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from coupons import issuing, templates
from coupons.choices import Source
from coupons.errors import Refused
from coupons.issuing import Through
from coupons.models import CouponTemplate, IssuedCoupon
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
    if push.expires_at is not None and push.expires_at < now:
        raise HookRefused(HookCode.EXPIRATION_PASSED, "lies in the past.", field="expiration_time")
    today = local_day(now)
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
    template.save()
    try:
        templates.publish(template)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise invalid(_PUSHED_AS.get(field, field), " ".join(messages)) from None
    return template


def give(account: SmartCouponAccount, push: GiveCoupon) -> IssuedCoupon:
    """Issue the coupon that a push gives to a customer.

    Raises:
        HookRefused: unknown merchant or coupon, or a rule that says no.
    """
    merchant = _merchant(account, push.merchant_id)
    template = CouponTemplate.objects.filter(merchant=merchant, coupon_id=push.coupon_id).first()
    if template is None:
        raise HookRefused(HookCode.UNKNOWN_COUPON, "this merchant has no such coupon.", field="coupon_id")
    customer = customers.find_or_create(merchant, push.identifier)
    through = Through(source=Source.PUSH, actor=f"push:{account.name}", account=account)
    try:
        return issuing.issue(
            template=template, customer=customer, through=through, valid_until=push.expires_at
        )
    except Refused as refused:
        raise from_reason(refused.reason) from None


def _merchant(account: SmartCouponAccount, merchant_id: str) -> Merchant:
    """A merchant that this account may push for; another's looks the same as none."""
    merchant = account.merchants.filter(merchant_id=merchant_id).first()
    if merchant is None:
        raise HookRefused(HookCode.UNKNOWN_MERCHANT, "no such merchant.", field="merchant_id")
    return merchant
