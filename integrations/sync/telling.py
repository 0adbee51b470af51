"""Telling dfire of a template at once, because somebody asks for it: whatever is on its way is hurried, what failed is
tried again, and what was said is said once more.
"""

from django.db import transaction
from django.utils import timezone

from coupons import templates
from coupons.models import CouponTemplate, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import doorbell, repair
from integrations.sync import again


@transaction.atomic
def tell_now(template: CouponTemplate) -> str:
    """See to it that dfire is told of the template's latest version.

    Returns:
        What was done: "again", "hurried", "retried", "sending" (a worker is at it), "waiting" (something is missing
        first), or "never" (it has not been published, so there is nothing to tell).
    """
    locked = templates.lock_template(template.pk)
    version = TemplateVersion.objects.filter(template=locked).order_by("-number").first()
    if version is None:
        return "never"
    row = OutboxRow.objects.filter(version=version, coupon=None, kind=RowKind.SAVE_PROMOTION).order_by("-pk").first()
    if row is not None and row.state == RowState.DEAD and repair.retry([row]):
        return "retried"
    if row is not None and row.state == RowState.WAITING:
        return "waiting"
    if row is not None and row.state == RowState.SENDING:
        return "sending"
    if row is not None and row.state == RowState.QUEUED:
        OutboxRow.objects.filter(pk=row.pk, state=RowState.QUEUED).update(available_at=timezone.now())
        transaction.on_commit(doorbell.ring, robust=True)
        return "hurried"
    again.save(version)
    return "again"
