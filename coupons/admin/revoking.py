"""Taking back one coupon or chosen ones: what somebody may not do alone is asked for, template by template."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from coupons import lifecycle
from coupons.admin.approval_words import approvers_words
from coupons.admin.approving import MayWait, note_asked
from coupons.admin.doing import do, do_each
from coupons.approvals import asking, limits
from coupons.approvals.facts import REVOCABLE
from coupons.approvals.limits import Need
from coupons.choices import CouponStatus
from coupons.errors import Reason, Refused
from coupons.models import Approval, CouponTemplate, IssuedCoupon
from merchants.admin.base import visible_rows
from merchants.admin.dialogs import ReasonForm


class RevokeForm(MayWait, ReasonForm):
    """Asks why."""

    def find_need(self) -> Need | None:
        """Of the one coupon, with what was taken back lately."""
        rows = visible_rows(admin.site, IssuedCoupon, self.request)
        coupon = (
            rows.filter(pk=self.object_id).first() if rows is not None and str(self.object_id).isdecimal() else None
        )
        if coupon is None:
            return None
        self.merchant = coupon.template.merchant
        return limits.many(coupon.template, coupons=1, value_fen=coupon.cost_fen, gives=False, by=self.request.user)


@dataclass(frozen=True, slots=True)
class ToAsk:
    """Chosen coupons of one template that need a second person."""

    template: CouponTemplate
    coupon_ids: list[int]
    need: Need


def revoke(coupon_id: int, *, reason: str, by: Any) -> None:
    """Take one coupon back, in a transaction of its own.

    Raises:
        Refused: it has been redeemed, is being, or is revoked already.
        NeedsApproval: `by` has taken back too many alone lately.
    """
    with transaction.atomic():
        coupon = lifecycle.lock([coupon_id])[0]
        if coupon.status == CouponStatus.REVOKED:  # nothing is done, so nothing counts
            raise Refused(Reason.REVOKED)
        lifecycle.revoke(coupon, reason=reason, actor=f"staff:{by.get_username()}")
        limits.one(coupon.template_id, value_fen=coupon.cost_fen, gives=False, by=by)


def to_ask(coupon_ids: list[int], by: Any) -> list[ToAsk]:
    """The chosen coupons that `by` may not take back alone."""
    of_template: dict[int, list[tuple[int, int | None]]] = {}
    able = IssuedCoupon.objects.filter(pk__in=coupon_ids, status__in=REVOCABLE)
    for template_id, pk, fen in able.values_list("template", "pk", "cost_fen"):
        of_template.setdefault(template_id, []).append((pk, fen))
    found = []
    alone: dict[int, tuple[int, int]] = {}  # coupons and fen that are not asked for, by merchant
    for template in CouponTemplate.objects.filter(pk__in=of_template).select_related("merchant").order_by("pk"):
        chosen = of_template[template.pk]
        value = sum(fen or 0 for _pk, fen in chosen)
        count, fen = alone.get(template.merchant_id, (0, 0))
        count, fen = count + len(chosen), fen + value
        need = limits.many(template, coupons=count, value_fen=fen, gives=False, by=by)
        if need is None:
            alone[template.merchant_id] = count, fen
        else:
            found.append(ToAsk(template, [pk for pk, _fen in chosen], need))
    return found


def words_before(asked: list[ToAsk], by: Any) -> str:
    """What is to be said of them before anything is done."""
    said = []
    for one in asked:
        count = len(one.coupon_ids)
        words = ngettext(
            "%(count)s of “%(title)s” waits for a second person. %(limit)s",
            "%(count)s of “%(title)s” wait for a second person. %(limit)s",
            count,
        ) % {"count": f"{count:,}", "title": one.template.title, "limit": one.need.words}
        said.append(f"{words} {approvers_words(one.template.merchant, by)}")
    return " ".join(said)


def revoke_chosen(request: HttpRequest, coupon_ids: list[int], *, reason: str) -> int | None:
    """Take back what one may alone, ask for the rest, and say what was not done.

    Returns:
        How many were taken back; None where all are asked for.
    """
    waiting: set[int] = set()
    for one in to_ask(coupon_ids, request.user):
        waiting.update(one.coupon_ids)
        _ask(request, one, reason=reason)
    alone = [pk for pk in coupon_ids if pk not in waiting]
    if waiting and not alone:
        return None
    return do_each(request, alone, lambda pk: revoke(pk, reason=reason, by=request.user))


def _ask(request: HttpRequest, one: ToAsk, *, reason: str) -> None:
    made: list[Approval] = []
    do(
        request,
        lambda: made.append(asking.ask_to_revoke(one.template, one.coupon_ids, by=request.user, reason=reason)),
        done=gettext("“%(title)s”: your request waits for a second person.") % {"title": one.template.title},
    )
    if made:
        note_asked(request, made[0])
