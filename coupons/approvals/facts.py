"""What a request is about, in numbers and terms: read when it is asked for, and again when it is approved.

What was read by the approver is what happens, or less of it: a recall takes back what is left of the coupons that were
out then, never one that was issued since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum

from coupons import batches
from coupons.approvals.limits import worth_of
from coupons.approvals.states import state_of
from coupons.choices import ApprovalAct, CouponStatus, Lapse, TemplateStatus
from coupons.models import Approval, Batch, CouponTemplate, IssuedCoupon

OPEN = (TemplateStatus.PUBLISHED, TemplateStatus.PAUSED)
REVOCABLE = (CouponStatus.ISSUED, CouponStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Facts:
    """`asked` is what must be found again; money in fen, None where it is not known."""

    asked: dict[str, Any]
    coupons: int | None = None
    value_fen: int | None = None


def of_issue(batch: Batch, template: CouponTemplate) -> Facts:
    """Of a checked batch that is to be started, or of a paused one: what it has still to give out."""
    left = batches.left_of(batch)
    rows = batch.rows.filter(number__gt=batch.position, problem="").count()
    until = batch.valid_until.isoformat() if batch.valid_until else None
    asked = {
        "state": batch.state, "rows": rows, "valid_until": until, "terms": state_of(template)["terms"],
        "cost_each_fen": template.cost_each_fen,
    }  # fmt: skip
    return Facts(asked, left, worth_of(template, left))


def of_recall(template: CouponTemplate, batch: Batch | None, last: int | None = None) -> Facts:
    """Of what is out of a template or a batch, up to the coupon with the key `last`."""
    out = batches.counted_out(template=template, batch=batch, last=last)
    return Facts({"batch": batch.pk if batch else None, "last": out.last}, out.coupons, out.value_fen)


def of_revoke(coupon_ids: Sequence[int]) -> Facts:
    """Of chosen coupons, as far as they can be taken back."""
    able = IssuedCoupon.objects.filter(pk__in=coupon_ids, status__in=REVOCABLE)
    sums = able.aggregate(coupons=Count("pk"), fen=Sum("cost_fen"))
    return Facts({"coupons": sorted(coupon_ids)}, sums["coupons"], sums["fen"])


def of_publish(template: CouponTemplate) -> Facts:
    """Of a draft or a paused template."""
    return Facts({"status": template.status, "after": state_of(template)}, None, worth_of(template, 1))


def of_change(stored: CouponTemplate, edited: CouponTemplate) -> Facts:
    """Of an edit of an open template."""
    return Facts({"before": state_of(stored), "after": state_of(edited)}, None, worth_of(edited, 1))


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a request cannot be carried out as it was asked for, if so; how many of those to be taken back are out."""

    lapse: Lapse | None
    out: int | None = None


def lapse_of(approval: Approval, template: CouponTemplate, batch: Batch | None) -> Lapse | None:
    """Why the request cannot be carried out as it was asked for; None where all is as it was. Rows are locked."""
    return standing(approval, template, batch).lapse


def standing(approval: Approval, template: CouponTemplate, batch: Batch | None) -> Standing:
    """How the request stands; without locks it is what a page can say. Counts what is out."""
    asked = approval.asked
    if approval.act == ApprovalAct.ISSUE:
        same = batch is not None and of_issue(batch, template).asked == asked
    elif approval.act == ApprovalAct.PUBLISH:
        same = of_publish(template).asked == asked
    elif approval.act == ApprovalAct.CHANGE:
        same = template.status in OPEN and state_of(template) == asked["before"]
    else:
        return _of_taking_back(approval, template, batch)
    return Standing(None if same else Lapse.CHANGED)


def _of_taking_back(approval: Approval, template: CouponTemplate, batch: Batch | None) -> Standing:
    """What was out then may have become less, never more."""
    asked = approval.asked
    if approval.act == ApprovalAct.RECALL:
        if asked["batch"] != (batch.pk if batch else None):
            return Standing(Lapse.NOTHING_LEFT)
        now = of_recall(template, batch, asked["last"])
    else:
        now = of_revoke(asked["coupons"])
    if not now.coupons:
        return Standing(Lapse.NOTHING_LEFT, 0)
    return Standing(Lapse.CHANGED if now.coupons > (approval.coupons or 0) else None, now.coupons)
