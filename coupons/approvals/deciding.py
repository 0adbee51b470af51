"""The second person's word. A yes carries the act out in the same transaction, as it was asked for, or not at all."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from coupons import batches, counting, lifecycle, templates
from coupons.approvals import facts, lapsing, people
from coupons.approvals.states import bring, whole
from coupons.choices import ApprovalAct, ApprovalState, BatchState, Lapse
from coupons.errors import Reason, Refused
from coupons.models import Approval, Batch, CouponTemplate
from merchants.privacy import without_names


def approve(approval: Approval, *, by: Any, note: str = "") -> Approval:
    """Say yes: the act happens now, in the name of whoever asked.

    Args:
        by: the user who decides; their rights are read anew.

    Raises:
        Refused: `by` has asked themselves or may not decide, the request is not waiting, it has lapsed (which is kept),
            or the act is refused by a rule of its own: then it goes on waiting.
        ValidationError: terms that cannot be promised; it goes on waiting.
    """
    user = _decider(approval, by)
    with transaction.atomic():
        lapsed = _approve(approval, user, note)
    approval.refresh_from_db()
    if lapsed:
        raise Refused(Reason.APPROVAL_LAPSED)
    return approval


def refuse(approval: Approval, *, by: Any, note: str) -> Approval:
    """Say no, and why.

    Raises:
        Refused: `by` has asked themselves or may not decide, or the request is not waiting.
    """
    user = _decider(approval, by)
    with transaction.atomic():
        locked = _lock(approval)
        if locked.expires_at <= timezone.now():
            raise Refused(Reason.APPROVAL_OVER)
        _close(locked, ApprovalState.REFUSED, user, note)
    approval.refresh_from_db()
    return approval


def _decider(approval: Approval, by: Any) -> Any:
    user = people.fresh(by)
    if user.pk == approval.requested_by_id:
        raise Refused(Reason.OWN_REQUEST)
    if not people.may_decide(user, approval):
        raise Refused(Reason.NOT_APPROVER)
    return user


def _approve(approval: Approval, user: Any, note: str) -> bool:
    """Lock in the portal's order, look again, act. Tells whether it has lapsed instead."""
    if approval.act == ApprovalAct.REVOKE:
        coupons = lifecycle.lock(approval.asked["coupons"])
    elif approval.act == ApprovalAct.CHANGE and approval.template_id and whole(approval.asked["after"]):
        # A first budget counts coupons that are out; they are locked before the template is.
        counting.late(bring(CouponTemplate.objects.get(pk=approval.template_id), approval.asked["after"]))
    batch = _locked_row(Batch, approval.batch_id)
    template = _locked_row(CouponTemplate, approval.template_id)
    locked = _lock(approval)
    if why := _lapse_of(locked, template, batch):
        lapsing.lapse(locked, why)
        return True
    assert template is not None  # nosec B101 # for the type checker
    requester, reason = locked.requested_by, locked.reason
    _close(locked, ApprovalState.APPROVED, user, note)  # before the act: it lets go of what waits about the same
    if locked.act == ApprovalAct.ISSUE and batch is not None:
        go = batches.start if batch.state == BatchState.READY else batches.resume
        go(batch, by=requester, approved=True)
    elif locked.act == ApprovalAct.RECALL:
        locked.begun = batches.begin_recall(
            template, batch=batch, reason=reason, by=requester, approved_to=locked.asked["last"]
        )
        locked.save(update_fields=["begun"])
    elif locked.act == ApprovalAct.REVOKE:
        lifecycle.revoke_many(coupons, reason=reason, actor=f"staff:{requester.get_username()}")
    elif locked.act == ApprovalAct.PUBLISH:
        templates.publish(template, by=requester, approved=True)
    else:
        edited = bring(template, locked.asked["after"])
        edited.full_clean()
        templates.save_edited(edited, by=requester, approved=True)
    return False


def _locked_row(model: Any, pk: int | None) -> Any:
    return model.objects.select_for_update(no_key=True).filter(pk=pk).first() if pk is not None else None


def _lock(approval: Approval) -> Approval:
    locked = Approval.objects.select_for_update(no_key=True, of=("self",)).get(pk=approval.pk)
    if locked.state != ApprovalState.WAITING:
        raise Refused(Reason.APPROVAL_OVER)
    return locked


def _lapse_of(locked: Approval, template: CouponTemplate | None, batch: Batch | None) -> Lapse | None:
    if locked.expires_at <= timezone.now():
        return Lapse.TOO_OLD
    if template is None:
        return Lapse.NOTHING_LEFT
    if not people.still_may(locked):
        return Lapse.REQUESTER
    return facts.lapse_of(locked, template, batch)


def _close(locked: Approval, state: ApprovalState, user: Any, note: str) -> None:
    locked.state, locked.note = state, without_names(note, ())
    locked.decided_by, locked.decided_at = user, timezone.now()
    locked.save(update_fields=["state", "decided_by", "decided_at", "note"])
