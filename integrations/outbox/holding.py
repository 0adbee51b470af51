"""Keeping deliveries whose template is not ready at dfire out of the queue that workers look through.

A hundred thousand of them would have to be passed over at every look. `held` only saves that work: whether a row may go
is decided when it is picked (`picking`), so a row that is not held is never sent too early for it, and one that is held
too long is found by the clock.
"""

from django.db import connection, transaction

from coupons.models import TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import UNSETTLED
from integrations.outbox import doorbell

# In the order of their ids, and passing over what others have locked: nobody waits for this.
_RELEASE = """
UPDATE integrations_outboxrow SET held = false WHERE id IN (
    SELECT o.id
    FROM integrations_outboxrow AS o
    JOIN coupons_templateversion AS version ON version.id = o.version_id AND version.saved_at IS NOT NULL
    WHERE o.state = 'queued' AND o.held AND (%(template)s::bigint IS NULL OR o.template_id = %(template)s::bigint
        AND EXISTS (SELECT FROM coupons_templateversion
            WHERE template_id = %(template)s::bigint AND saved_at IS NOT NULL))
      AND NOT EXISTS (
        SELECT 1 FROM integrations_outboxrow AS earlier
        WHERE earlier.template_id = o.template_id AND earlier.coupon_id IS NULL AND earlier.id < o.id
          AND earlier.state IN ('queued', 'waiting', 'sending') OFFSET 0)
    ORDER BY o.id
    FOR NO KEY UPDATE OF o SKIP LOCKED)
"""


def holds_back(version: TemplateVersion) -> bool:
    """Whether a delivery that is written now would have to wait until dfire has been told of the template.

    Where it does, look again after the commit (`release_on_commit`): it may have been told meanwhile.
    """
    if version.saved_at is None:
        return True
    told_of = OutboxRow.objects.filter(template=version.template_id, coupon=None, state__in=UNSETTLED)
    return told_of.exists()


def release_on_commit(template_id: int | None) -> None:
    """Once this transaction has committed, let go what the template held back, if it does not any more.

    Who writes a held row calls it and who settles a row of the template calls it: whoever commits last sees the other.
    """
    transaction.on_commit(lambda: release(template_id), robust=True)


@transaction.atomic
def release(template_id: int | None = None) -> int:
    """Let go the deliveries that this template, or without one any template, holds back no more. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"template": template_id})
        released = int(cursor.rowcount)
    if released:
        transaction.on_commit(doorbell.ring, robust=True)
    return released
