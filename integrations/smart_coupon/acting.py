"""What a push makes happen: a published template, or an issued coupon."""

from datetime import datetime
from decimal import Decimal
from typing import Any

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
from integrations.smart_coupon.revisions import Revision
from merchants import customers
from merchants.clock import local_day
from merchants.models import Merchant, SmartCouponAccount


def _pushed_as(revision: Revision) -> dict[str, str]:
    return {
        "title": revision.title,
        "amount_fen": "coupon_amount",
        "percent_paid": "coupon_amount",
        "hundredths": "coupon_amount",
        "kind": "coupon_type",
        "min_spend_fen": revision.least_spend,
        "start_date": "campaign_start_time",
        "end_date": _end_of(revision),
        "valid_days": "expiration_interval",
        "notice": revision.notice,
    }


def create(account: SmartCouponAccount, push: CreateCoupon, revision: Revision) -> CouponTemplate:
    """Make and publish the template that a push describes; held back where dfire has to confirm it first.

    Raises:
        HookRefused: unknown merchant, or terms that cannot be promised.
    """
    merchant = _merchant(account, push.merchant_id)
    now = timezone.now()
    today = local_day(now)
    if push.expires_at is not None:
        _check_not_passed(push.expires_at, now, _end_of(revision))
    template = CouponTemplate(
        merchant=merchant,
        title=push.title,
        kind=push.kind,
        amount_fen=push.amount_fen,
        percent_paid=push.percent_paid,
        min_spend_fen=push.min_spend_fen,
        notice=push.notice,
        stock=push.stock,
        start_date=local_day(push.starts_at) if push.starts_at else today,
        end_date=push.end_date or today + relativedelta(years=settings.PUSH_OPEN_ENDED_YEARS),
        valid_days=push.valid_days,
        source_account=account,
    )
    if problems := term_problems(template.terms()):  # before it is stored: the database would say it less kindly
        field, messages = next(iter(problems.items()))
        raise invalid(_pushed_as(revision).get(field, field), " ".join(messages))
    template.save()
    templates.publish(template, held=account.confirm_with_dfire)
    return template


def give(account: SmartCouponAccount, push: GiveCoupon, revision: Revision) -> IssuedCoupon:
    """Issue the coupon that a push gives to a customer.

    Raises:
        HookRefused: unknown merchant or coupon, or a rule that says no.
    """
    template = _template(account, push, revision)
    _check_not_passed(push.expires_at, timezone.now(), "expiration_time")
    _check_told(template, push.told, revision)
    customer = customers.find_or_create(template.merchant, push.identifier)
    through = Through(source=Source.PUSH, actor=f"push:{account.name}", account=account)
    try:
        return issuing.issue(
            template=template,
            customer=customer,
            through=through,
            valid_until=push.expires_at,
            customer_is_locked=True,
        )
    except Refused as refused:
        raise from_reason(refused.reason) from None


def _check_told(template: CouponTemplate, told: dict[str, Any], revision: Revision) -> None:
    """What a detail says of its campaign must be what a till will do."""
    for field, value in told.items():
        real = _hundredths(template) if field == "hundredths" else getattr(template, field)
        if value != real:
            name = _pushed_as(revision)[field]
            raise invalid(name, f"differs from the campaign's: {_said(field, value)} here, {_said(field, real)} there.")


def _hundredths(template: CouponTemplate) -> int | None:
    """What it takes off, in hundredths of a yuan or a 折."""
    return template.percent_paid * 10 if template.percent_paid is not None else template.amount_fen


def _said(field: str, value: Any) -> str:
    """A term in the platform's units."""
    if value is None:
        return "none"
    if field == "percent_paid":
        return f"{Decimal(value) / 10:f}"
    return f"{Decimal(value) / 100:f}" if field.endswith(("_fen", "hundredths")) else str(value)


def _end_of(revision: Revision) -> str:
    return "campaign_end_time" if revision.is_campaign else "expiration_time"


def _template(account: SmartCouponAccount, push: GiveCoupon, revision: Revision) -> CouponTemplate:
    """The template with our id, or with dfire's own, of a merchant that this account may push for."""
    ours = CouponTemplate.objects.filter(
        merchant__smart_coupon_accounts=account, merchant__merchant_id=push.merchant_id, coupon_id=push.coupon_id
    )
    ours = ours.select_related("merchant")
    if not push.told:  # whoever issues reads it again, under its lock
        ours = ours.only("coupon_id", "merchant__merchant_id")
    for template in ours:
        return template
    merchant = _merchant(account, push.merchant_id)  # which of them is not there, or dfire's own id
    found = CouponTemplate.objects.filter(merchant=merchant, versions__dfire_id=push.coupon_id).first()
    if found is None:
        raise HookRefused(HookCode.UNKNOWN_COUPON, "this merchant has no such coupon.", field=revision.coupon)
    return found


def _check_not_passed(end: datetime, now: datetime, name: str) -> None:
    if end <= now:
        raise HookRefused(HookCode.EXPIRATION_PASSED, "lies in the past.", field=name)


def _merchant(account: SmartCouponAccount, merchant_id: str) -> Merchant:
    """A merchant that this account may push for; another's looks the same as none."""
    merchant = account.merchants.filter(merchant_id=merchant_id).first()
    if merchant is None:
        raise HookRefused(HookCode.UNKNOWN_MERCHANT, "no such merchant.", field="merchant_id")
    return merchant
