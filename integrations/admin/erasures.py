"""What the erasure of a customer still waits for, in words, for the customer's page."""

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from coupons.admin.extension import Left, tells_of_erasures
from integrations.models.outbox import RowState
from integrations.retention.erasing import progress
from merchants.models import Erasure


@tells_of_erasures
def left(erasure: Erasure) -> list[Left]:
    """One line for each reason to wait, with a link to where it is seen."""
    now = progress(erasure)
    coupons = f"{reverse('admin:coupons_issuedcoupon_changelist')}?customer__id__exact={erasure.customer_id}"
    outbox = reverse("admin:integrations_outboxrow_changelist")
    lines = []
    if now.usable:
        words = ngettext("%(count)s coupon still to be revoked", "%(count)s coupons still to be revoked", now.usable)
        lines.append(Left(words % {"count": now.usable}, "warning", coupons))
    if now.redeeming:
        words = ngettext(
            "%(count)s coupon is being redeemed; it is waited for",
            "%(count)s coupons are being redeemed; they are waited for",
            now.redeeming,
        )
        lines.append(Left(words % {"count": now.redeeming}, "warning", coupons))
    if now.withdrawals:
        words = ngettext("%(count)s withdrawal left", "%(count)s withdrawals left", now.withdrawals)
        lines.append(Left(words % {"count": now.withdrawals}, "warning", coupons))
    if now.failed:
        words = ngettext("%(count)s withdrawal failed", "%(count)s withdrawals failed", now.failed)
        advice = gettext("retry it in the outbox, or give it up there")
        failed = f"{words % {'count': now.failed}}: {advice}"
        lines.append(Left(failed, "danger", f"{outbox}?state__exact={RowState.DEAD}"))
    if now.given_on:
        words = ngettext(
            "%(count)s coupon given on is under the old openid at dfire still",
            "%(count)s coupons given on are under the old openid at dfire still",
            now.given_on,
        )
        advice = gettext("bind its new holder, or revoke it")
        lines.append(Left(f"{words % {'count': now.given_on}}: {advice}", "warning", outbox))
    return lines
