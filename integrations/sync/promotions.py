"""Saving and deleting promotions at dfire (seed 003 §4, §6).

A save is an upsert by promotion id and may simply be repeated; a deletion whose outcome is unknown is looked up in the
merchant's list (§1) first.
"""

from typing import Any

from django.utils import timezone

from integrations.dfire import DfireError, DuplicateError, EmptyError, Promotion
from integrations.models import OutboxRow
from integrations.models.outbox import Phase
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync.promotion_terms import promotion_terms
from integrations.sync.words import APPID_MISSING, NOT_NEEDED


def find_promotion(promotions: list[Promotion], promotion_id: str) -> Promotion | None:
    """The promotion that dfire lists under our id."""
    return next((found for found in promotions if found.third_promotion_id == promotion_id), None)


class SavePromotion(Handler):
    """Tells dfire the terms of one version of a template."""

    asks_when_uncertain = False

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Send the version's terms as they are now."""
        version, merchant = row.version, row.merchant
        if version is None:
            return Drop(NOT_NEEDED)
        if not merchant.appid:
            return Wait(APPID_MISSING)
        if row.phase == Phase.ASK:
            return Call(
                "dfire.shop.query.promotion",
                lambda client: client.query_promotions(
                    entity_id=merchant.entity_id, plate_entity_id=merchant.plate_entity_id
                ),
            )
        terms = promotion_terms(version, merchant)
        return Call("dfire.shop.save.promotion", lambda client: client.save_promotion(terms=terms))

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Saved: keep dfire's own id beside ours. Asked: if it is there, it is done."""
        if row.phase == Phase.ASK:
            found = find_promotion(value, row.version.promotion_id if row.version else "")
            if found is None:
                verdicts.send(row)
                row.tries += 1
                return
            value = found.id
        if row.version is not None:
            row.version.dfire_id = value
            row.version.saved_at = timezone.now()
            row.version.save(update_fields=["dfire_id", "saved_at"])
        verdicts.done(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """A duplicate may well be ours: ask. Anything else is for staff to mend."""
        if isinstance(error, DuplicateError) and row.phase == Phase.SEND and not row.tries:
            row.phase = Phase.ASK
            verdicts.again_at_once(row)
            return
        verdicts.dead(row, code=error.code, message=error.message)


class DeletePromotion(Handler):
    """Removes a promotion of a deleted template; dfire then kills whatever is still held of it."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Delete, or look whether it is gone."""
        merchant, promotion_id = row.merchant, row.details["promotion_id"]
        if row.phase == Phase.ASK:
            return Call(
                "dfire.shop.query.promotion",
                lambda client: client.query_promotions(
                    entity_id=merchant.entity_id, plate_entity_id=merchant.plate_entity_id
                ),
            )
        return Call(
            "dfire.shop.delete.promotion",
            lambda client: client.delete_promotion(
                entity_id=merchant.entity_id,
                plate_entity_id=merchant.plate_entity_id,
                promotion_id=promotion_id,
            ),
        )

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Deleted, or found gone; still there means: once more."""
        if row.phase == Phase.ASK and find_promotion(value, row.details["promotion_id"]) is not None:
            verdicts.send(row)
            return
        verdicts.done(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """What dfire does not have is deleted."""
        if isinstance(error, EmptyError):
            verdicts.done(row)
        else:
            verdicts.dead(row, code=error.code, message=error.message)
