"""Turns what happens to coupons and templates into deliveries, in the same transaction.

Imported once, by the application's `ready`, after the receivers of the outbox: a coupon that has just been issued reads
as it stands once these have looked at it.
"""

from typing import Any

from django.dispatch import receiver

from coupons import signals
from coupons.issuing import Issued
from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import PushAnswer
from integrations.models.partners import WebhookEvent
from integrations.webhooks.events import tell_coupons, tell_coupons_of, tell_template


@receiver(signals.coupon_issued)
def _issued(coupon: IssuedCoupon, **kwargs: Any) -> None:
    tell_coupons(WebhookEvent.COUPON_ISSUED, [coupon])


@receiver(signals.coupons_issued)
def _many_issued(version: TemplateVersion, issued: list[Issued], **kwargs: Any) -> None:
    tell_coupons_of(version.template.merchant_id, WebhookEvent.COUPON_ISSUED, [one.coupon_id for one in issued])


@receiver(signals.coupons_delivered)
def _delivered(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    tell_coupons(WebhookEvent.COUPON_DELIVERED, coupons)


@receiver(signals.coupons_redeemed)
def _redeemed(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    tell_coupons(WebhookEvent.COUPON_REDEEMED, coupons)


@receiver(signals.coupon_transferred)
@receiver(signals.transfer_undone)  # the holder is another once more
def _transferred(coupon: IssuedCoupon, **kwargs: Any) -> None:
    tell_coupons(WebhookEvent.COUPON_TRANSFERRED, [coupon])


@receiver(signals.coupons_revoked)
def _revoked(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    tell_coupons(WebhookEvent.COUPON_REVOKED, coupons)


@receiver(signals.coupons_expired)
def _expired(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    tell_coupons(WebhookEvent.COUPON_EXPIRED, coupons)


@receiver(signals.template_published)
def _published(template: CouponTemplate, **kwargs: Any) -> None:
    if not _is_unconfirmed(template):
        tell_template(WebhookEvent.TEMPLATE_PUBLISHED, template)


@receiver(signals.template_ended)
def _ended(template: CouponTemplate, **kwargs: Any) -> None:
    if not _is_unconfirmed(template):
        tell_template(WebhookEvent.TEMPLATE_ENDED, template)


def _is_unconfirmed(template: CouponTemplate) -> bool:
    """Whether a push still waits for dfire to accept it: then it may yet be removed as if it had never been."""
    return PushAnswer.objects.filter(confirm_until__isnull=False, confirming__template=template).exists()
