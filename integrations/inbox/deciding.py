"""What staff decide about an entry, each time with who decided and why. Nothing is decided twice."""

from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.lifecycle import TillOutcome
from coupons.models import IssuedCoupon
from integrations.inbox.applying import redeem
from integrations.models import DfireCallback
from integrations.models.inbox import OPEN_STATES, UNSETTLED_STATES, CallbackState, Decision

_DECIDED_FIELDS = [
    "coupon",
    "merchant",
    "state",
    "suggestion",
    "decision",
    "decided_by",
    "note",
    "settled_at",
    "parameters",
    "blanked_at",
]


def settle_by_hand(callback: DfireCallback, *, decision: Decision, note: str, actor: str) -> bool:
    """Staff have dealt with an entry themselves: it leaves the list and is not tried any more. No coupon changes.

    Args:
        actor: `staff:name`.

    Returns:
        Whether it was still unsettled.
    """
    return bool(
        DfireCallback.objects.filter(pk=callback.pk, state__in=UNSETTLED_STATES).update(
            state=CallbackState.SETTLED,
            decision=decision,
            note=note,
            decided_by=actor,
            settled_at=timezone.now(),
            suggestion="",
        )
    )


@transaction.atomic
def apply_by_hand(callback: DfireCallback, coupon: IssuedCoupon, *, note: str, actor: str) -> TillOutcome | None:
    """Redeem the coupon that staff say this open callback is about, whatever its code and account.

    Args:
        actor: `staff:name`; it stands in the coupon's history too.

    Returns:
        What that did to the coupon; None where the callback was settled meanwhile, and then nothing has changed.
    """
    open_ones = DfireCallback.objects.select_for_update(of=("self",), no_key=True)
    locked = open_ones.filter(pk=callback.pk, state__in=OPEN_STATES).first()
    if locked is None:
        return None
    chosen = lifecycle.lock([coupon.pk])[0]
    outcome = redeem(locked, chosen, decided_by=actor)
    locked.state, locked.suggestion = CallbackState.SETTLED, ""
    locked.decision, locked.decided_by, locked.note = Decision.APPLIED, actor, note
    locked.settled_at = timezone.now()
    locked.save(update_fields=_DECIDED_FIELDS)
    return outcome
