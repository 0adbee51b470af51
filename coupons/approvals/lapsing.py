"""Requests that nobody can approve any more fall away: too old, or what they were about is not what it was.

Whether one may still be carried out is looked at when it is approved (`deciding`); here it shows earlier, so that
nobody reads one for nothing. Called with the template or the batch locked: requests are locked last.
"""

from django.db.models import Q, QuerySet
from django.utils import timezone

from coupons.approvals.states import state_of
from coupons.choices import ApprovalAct, ApprovalState, Lapse
from coupons.models import Approval, Batch, CouponTemplate

_OF_TERMS = (ApprovalAct.PUBLISH, ApprovalAct.CHANGE, ApprovalAct.ISSUE)
_OF_LIMITS = (ApprovalAct.PUBLISH, ApprovalAct.CHANGE)
_TAKING_BACK = (ApprovalAct.RECALL, ApprovalAct.REVOKE)


def waiting() -> QuerySet[Approval]:
    """The requests that can still be decided."""
    return Approval.objects.filter(state=ApprovalState.WAITING, expires_at__gt=timezone.now())


def lapse_due() -> int:
    """Let go of what has waited too long; tells how many."""
    return _lapse(Approval.objects.filter(expires_at__lte=timezone.now()), Lapse.TOO_OLD)


def lapse(approval: Approval, why: Lapse) -> None:
    """Let one go, and let the row at hand know."""
    if _lapse(Approval.objects.filter(pk=approval.pk), why):
        approval.refresh_from_db()


def let_go(
    *, template: CouponTemplate | None = None, batch: Batch | None = None, but_recalls: bool = False
) -> None:  # fmt: skip
    """The template has ended or is being deleted, or the batch is cancelled: nothing is left to approve."""
    found = Approval.objects.filter(Q(template=template) if template is not None else Q(batch=batch))
    _lapse(found.exclude(act__in=_TAKING_BACK) if but_recalls else found, Lapse.NOTHING_LEFT)


def look_again(template: CouponTemplate, *, before: CouponTemplate) -> None:
    """The template has been edited: requests about what it was are not about what it is."""
    then, now = state_of(before), state_of(template)
    acts = _OF_TERMS if then["terms"] != now["terms"] else _OF_LIMITS if then != now else ()
    if acts:
        _lapse(Approval.objects.filter(template=template, act__in=acts), Lapse.CHANGED)


def _lapse(found: QuerySet[Approval], why: Lapse) -> int:
    waits = found.filter(state=ApprovalState.WAITING)
    return waits.update(state=ApprovalState.LAPSED, lapse=why, decided_at=timezone.now())
