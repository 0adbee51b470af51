"""Saving and deleting promotions at dfire (seed 003 §4, §6).

A save is an upsert by promotion id and may simply be repeated; a deletion whose outcome is unknown is looked up in the
merchant's list (§1) first.
"""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from coupons.models import TemplateVersion
from integrations.dfire import DfireError, DuplicateError, EmptyError, Promotion
from integrations.dfire.codes import ResultClass
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind
from integrations.outbox import verdicts
from integrations.outbox.evidence import may_have_happened
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync.promotion_terms import promotion_terms
from integrations.sync.words import APPID_MISSING, NOT_NEEDED


def find_promotion(promotions: list[Promotion], promotion_id: str) -> Promotion | None:
    """The promotion that dfire lists under our id."""
    return next((found for found in promotions if found.third_promotion_id == promotion_id), None)


def dfire_knows(version: TemplateVersion) -> bool:
    """Whether dfire holds the version's promotion, or may."""
    if version.saved_at is not None or version.dfire_id:
        return True
    return may_have_happened(_saves_of(version)).exists()


def landed_by(version: TemplateVersion) -> datetime:
    """From when on (aware) no save of the version that was sent can still land at dfire: now, if none is open."""
    now = timezone.now()
    unknown = may_have_happened(_saves_of(version)).exclude(result=ResultClass.OK).select_related("row__account")
    latest = unknown.order_by("-started_at").first()
    return max(now, latest.started_at + verdicts.landing_time(latest.row)) if latest else now


def _saves_of(version: TemplateVersion) -> QuerySet[OutboxAttempt]:
    """Asked in the words of the index on a template's own rows."""
    of_template = {"row__template": version.template_id, "row__coupon": None}
    return OutboxAttempt.objects.filter(row__version=version, row__kind=RowKind.SAVE_PROMOTION, **of_template)


def _list_promotions(row: OutboxRow) -> Call:
    merchant = row.merchant
    return Call(
        "dfire.shop.query.promotion",
        lambda client: client.query_promotions(entity_id=merchant.entity_id, plate_entity_id=merchant.plate_entity_id),
    )


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
            return _list_promotions(row)
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
            self._saved(row, row.version, value)
        verdicts.done(row)

    def _saved(self, row: OutboxRow, version: TemplateVersion, dfire_id: str) -> None:
        version.dfire_id = dfire_id
        later = OutboxRow.objects.filter(
            template=row.template_id, coupon=None, pk__gt=row.pk, state__in=UNSETTLED, version=version
        )
        if version.saved_at is not None or not later.exists():  # else the terms have changed on the way
            version.saved_at = timezone.now()
        version.save(update_fields=["dfire_id", "saved_at"])

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """A duplicate may well be ours: ask. Anything else is for staff to mend."""
        if isinstance(error, DuplicateError) and row.phase == Phase.SEND and not row.tries:
            verdicts.ask_at_once(row)
            return
        verdicts.dead(row, code=error.code, message=error.message)


class DeletePromotion(Handler):
    """Removes a promotion of a deleted template; dfire then kills whatever is still held of it."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Delete, or look whether it is gone."""
        if row.phase == Phase.ASK:
            return _list_promotions(row)
        merchant, promotion_id = row.merchant, row.details["promotion_id"]
        return Call(
            "dfire.shop.delete.promotion",
            lambda client: client.delete_promotion(
                entity_id=merchant.entity_id, plate_entity_id=merchant.plate_entity_id, promotion_id=promotion_id
            ),
        )

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Deleted, or found gone; still there means once more, or, after a refusal, that staff must look at it."""
        if row.phase == Phase.SEND or find_promotion(value, row.details["promotion_id"]) is None:
            verdicts.done(row)
        elif refused := row.details.get("refused"):
            verdicts.dead(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """What dfire does not have is deleted, and it may say so by a refusal: look."""
        if isinstance(error, EmptyError):
            verdicts.done(row)
        elif row.phase == Phase.SEND:
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
        else:
            verdicts.dead(row, code=error.code, message=error.message)
