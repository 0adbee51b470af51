"""Asking for a second person, and taking that back. What is asked for is kept as it stands at this moment."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from coupons import batches, lifecycle
from coupons.approvals import facts, lapsing, people
from coupons.approvals.facts import OPEN, Facts
from coupons.choices import ApprovalAct, ApprovalState, BatchKind, BatchState, Lapse, TemplateStatus
from coupons.errors import Reason, Refused
from coupons.models import Approval, Batch, CouponTemplate
from coupons.templates import lock_template
from coupons.validation import term_problems
from merchants.privacy import without_names


@transaction.atomic
def ask_to_issue(batch: Batch, *, by: Any, reason: str) -> Approval:
    """Ask that a checked batch be started, or a paused one resumed.

    Raises:
        Refused: it is in neither state, or that is asked for already.
    """
    locked = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    startable = locked.state in (BatchState.READY, BatchState.PAUSED) and locked.total
    if locked.kind != BatchKind.ISSUE or not startable:
        raise Refused(Reason.BATCH_STATE)
    template = lock_template(locked.template_id)
    found = facts.of_issue(locked, template)
    return _ask(ApprovalAct.ISSUE, template, found, batch=locked, by=by, reason=reason)


@transaction.atomic
def ask_to_recall(template: CouponTemplate, *, batch: Batch | None = None, by: Any, reason: str) -> Approval:
    """Ask that what is out now of the template, or of one of its batches, be taken back.

    Raises:
        Refused: nothing is out, it is still being issued, or that is asked for already.
    """
    locked = lock_template(template.pk)
    batches.may_begin_recall(locked, batch)
    found = facts.of_recall(locked, batch)
    if not found.coupons:
        raise Refused(Reason.NOTHING_OUT)
    return _ask(ApprovalAct.RECALL, locked, found, batch=batch, by=by, reason=reason)


@transaction.atomic
def ask_to_revoke(template: CouponTemplate, coupon_ids: Sequence[int], *, by: Any, reason: str) -> Approval:
    """Ask that chosen coupons of the template be revoked.

    Raises:
        Refused: none of them can be, or that is asked for already.
    """
    own = [coupon.pk for coupon in lifecycle.lock(sorted(coupon_ids)) if coupon.template_id == template.pk]
    locked = lock_template(template.pk)
    found = facts.of_revoke(own)
    if not found.coupons:
        raise Refused(Reason.NOTHING_OUT)
    chosen = sha256(repr(sorted(own)).encode()).hexdigest()[:32]
    return _ask(ApprovalAct.REVOKE, locked, found, by=by, reason=reason, chosen=chosen)


@transaction.atomic
def ask_to_publish(template: CouponTemplate, *, by: Any, reason: str) -> Approval:
    """Ask that a draft be published, or a paused template resumed.

    Raises:
        ValidationError: its terms cannot be promised.
        Refused: it is in neither state, or that is asked for already.
    """
    locked = lock_template(template.pk)
    if locked.status not in (TemplateStatus.DRAFT, TemplateStatus.PAUSED):
        raise Refused(Reason.WRONG_STATE)
    if problems := term_problems(locked.terms()):
        raise ValidationError(problems)
    return _ask(ApprovalAct.PUBLISH, locked, facts.of_publish(locked), by=by, reason=reason)


@transaction.atomic
def ask_to_change(edited: CouponTemplate, *, by: Any, reason: str) -> Approval:
    """Ask that an open template be changed to what `edited` holds, which is not stored.

    Raises:
        Refused: it is not open, or that is asked for already.
    """
    stored = lock_template(edited.pk)
    if stored.status not in OPEN:
        raise Refused(Reason.WRONG_STATE)
    return _ask(ApprovalAct.CHANGE, stored, facts.of_change(stored, edited), by=by, reason=reason)


@transaction.atomic
def withdraw(approval: Approval, *, by: Any) -> None:
    """Take a request back.

    Raises:
        Refused: somebody else asked, or it is decided already.
    """
    locked = Approval.objects.select_for_update(no_key=True).get(pk=approval.pk)
    if locked.requested_by_id != by.pk:
        raise Refused(Reason.NOT_REQUESTER)
    if locked.state != ApprovalState.WAITING:
        raise Refused(Reason.APPROVAL_OVER)
    locked.state, locked.decided_at = ApprovalState.WITHDRAWN, timezone.now()
    locked.save(update_fields=["state", "decided_at"])


def _ask(
    act: ApprovalAct,
    template: CouponTemplate,
    found: Facts,
    *,
    by: Any,
    reason: str,
    batch: Batch | None = None,
    chosen: str = "",
) -> Approval:
    """Keep the request; the template is locked. One that waits, but could not be approved any more, makes room."""
    same = {"act": act, "template": template, "batch": batch, "chosen": chosen, "state": ApprovalState.WAITING}
    before = Approval.objects.select_for_update(no_key=True, of=("self",)).filter(**same).first()
    if before is not None and not _make_room(before, template, batch):
        raise Refused(Reason.ASKED_ALREADY)
    version = template.versions.order_by("-number").values_list("number", flat=True).first()
    return Approval.objects.create(
        **same, merchant_id=template.merchant_id, subject=_subject(template, batch), terms_version=version,
        coupons=found.coupons, value_fen=found.value_fen, asked=found.asked, reason=without_names(reason, ()),
        requested_by=by,
        expires_at=timezone.now() + timedelta(days=settings.APPROVE_DAYS),
    )  # fmt: skip


def _make_room(before: Approval, template: CouponTemplate, batch: Batch | None) -> bool:
    if before.expires_at <= timezone.now():
        why: Lapse | None = Lapse.TOO_OLD
    elif not people.still_may(before):
        why = Lapse.REQUESTER
    else:
        why = facts.lapse_of(before, template, batch)
    if why is not None:
        lapsing.lapse(before, why)
    return why is not None


def _subject(template: CouponTemplate, batch: Batch | None) -> str:
    return f"{template.title} · {without_names(str(batch), ())}" if batch is not None else template.title
