"""Accounts that ask for dfire's word: a create push is answered success only once dfire has accepted the promotion.

The push is committed first, its template paused so that nothing can be given of it, its answer remembered but not yet
valid (`PushAnswer.confirming`). The request then waits, in no transaction, for the outbox to have saved the promotion.
One short transaction, under the lock of that answer, decides: it becomes valid, or everything is removed again, here
and through the outbox at dfire. Whoever finds an answer that is overdue decides likewise: an equal push, or the sweep
after a process that died. So nobody has been told of success where a removal follows, and it takes no worker to say no.
Partners hear of the template when it is confirmed and not before, whatever staff do with it meanwhile.
"""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.errors import Refused
from coupons.models import CouponTemplate
from integrations.hooks.database import within_time
from integrations.hooks.refusals import HookCode, HookRefused
from integrations.models import OutboxRow, Push, PushAnswer
from integrations.models.outbox import RowKind, RowState
from integrations.models.partners import WebhookEvent
from integrations.places import PLACES
from integrations.webhooks.events import tell_template

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_ON_ITS_WAY = (RowState.QUEUED, RowState.SENDING)
_SWEEP_AFTER = timedelta(seconds=2)  # whoever waits decides first
_LATE = "dfire has not accepted the promotion in time. Nothing was made; push again in a moment."


def take_place() -> None:
    """Take one of the places to wait in; whoever does gives it back (`PLACES`).

    Raises:
        HookRefused: 503: all are taken.
    """
    if not PLACES.take():
        raise HookRefused(HookCode.UNAVAILABLE, "Too many pushes wait for dfire. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a request waits for: the answer (`key`) to the push `first`; `mine` is the push that waits, mostly that."""

    key: int
    first: int
    mine: int


def not_confirmed(said: str = "") -> HookRefused:
    """The refusal of a push that dfire has not accepted, with what it said."""
    words = f"dfire has not accepted the promotion: {said} Nothing was made." if said else _LATE
    return HookRefused(HookCode.UNCONFIRMED, words)


def begin(key: int, push: Push) -> None:
    """Hold the answer back until dfire has accepted. Call it in the transaction that has made the template, held."""
    until = timezone.now() + timedelta(seconds=settings.PUSH_CONFIRM_SECONDS)
    PushAnswer.objects.filter(pk=key).update(confirming=push, confirm_until=until)


def wait(awaited: Awaited) -> dict[str, Any]:
    """Wait until it is decided, at most PUSH_CONFIRM_SECONDS from when the push began. Not inside a transaction.

    Returns:
        The answer, which is valid now.

    Raises:
        HookRefused: 503: dfire did not accept, or not in time; what was made is removed.
        one of UNAVAILABLE: the database does not answer; the sweep decides.
    """
    while True:
        with within_time():
            answer = _look(awaited)
        if answer is not None:
            return answer
        time.sleep(_LOOK_SECONDS)


def finish_overdue(limit: int = 100) -> int:
    """Decide what nobody waits for any more. Returns how many pushes were undone."""
    overdue = PushAnswer.objects.filter(confirm_until__lt=timezone.now() - _SWEEP_AFTER).order_by("confirm_until")
    undone = 0
    for key, first in list(overdue.values_list("pk", "confirming_id")[:limit]):
        if first is not None and _undo(key, first):
            undone += 1
            logger.warning("Push %s was never confirmed: what it made is removed.", first)
    return undone


def _look(awaited: Awaited) -> dict[str, Any] | None:
    """The valid answer, or None while it is open."""
    found = PushAnswer.objects.select_related("confirming").filter(pk=awaited.key).first()
    if found is None or found.confirming_id not in (None, awaited.first):
        raise not_confirmed()  # somebody else has decided
    if found.confirming is None or found.confirm_until is None:
        return dict(found.answer or {})
    saves = OutboxRow.objects.filter(template=found.confirming.template_id, coupon=None, kind=RowKind.SAVE_PROMOTION)
    saving = saves.order_by("id").last()
    state = saving.state if saving is not None else None
    if state == RowState.DONE:
        return _confirm(awaited)
    if state in _ON_ITS_WAY and timezone.now() < found.confirm_until:
        return None
    if not _undo(awaited.key, awaited.first):
        return None
    raise not_confirmed(_sentence(saving.last_message) if saving is not None and state not in _ON_ITS_WAY else "")


@transaction.atomic
def _confirm(awaited: Awaited) -> dict[str, Any] | None:
    """Make the answer valid and its template ready to be given; None where it is decided already: look again."""
    entry = _locked(awaited.key, awaited.first)
    if entry is None:
        return None
    template = _template(entry)
    if template is None or template.status == TemplateStatus.ENDED:  # by staff, meanwhile
        _undo(awaited.key, awaited.first)
        return None
    entry.confirming = entry.confirm_until = None
    entry.save(update_fields=["confirming", "confirm_until"])
    if template.status == TemplateStatus.PAUSED:
        templates.publish(template)
    else:  # staff have published it, which was not told
        tell_template(WebhookEvent.TEMPLATE_PUBLISHED, template)
    return dict(entry.answer or {})


@transaction.atomic
def _undo(key: int, first: int) -> bool:
    """Forget the answer, so that the same push is a new try, and remove what was made here and at dfire.

    Returns:
        Whether it was still to be decided.
    """
    entry = _locked(key, first)
    if entry is None:
        return False
    template = _template(entry)
    try:
        if template is not None:
            templates.delete(template)
    except Refused:  # staff have issued coupons of it in that moment: those stay good
        if template is not None and template.status != TemplateStatus.ENDED:
            templates.end(template)
    entry.delete()  # last: while it is there, partners are not told of the template
    return True


def _locked(key: int, first: int) -> PushAnswer | None:
    entries = PushAnswer.objects.select_for_update(of=("self",)).filter(pk=key, confirming=first)
    return entries.select_related("confirming").first()


def _template(entry: PushAnswer | None) -> CouponTemplate | None:
    """The template of a locked answer, locked too."""
    push = entry and entry.confirming
    if not push or push.template_id is None:
        return None
    return CouponTemplate.objects.select_for_update(no_key=True).filter(pk=push.template_id).first()


def _sentence(said: str) -> str:
    said = said.strip()
    return f"{said}." if said and said[-1] not in ".!。!" else said
