"""What one member of staff may do alone, and what needs a second person (docs/approvals.md).

The doors through which staff issue, take back and publish ask here, under the lock of the template, in the transaction
that does it. Machines (pushes, provisioning, partners' calls) are not asked: their limits stand in their contracts.

What coupons are worth is what they cost their budget: the amount of a cash kind, else what staff have entered as the
cost of one. Where nobody has said it (a discount), coupons count by their number alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coupons import counting
from coupons.approvals.states import HOW_MANY, State, state_of, whole, widens
from coupons.choices import ApprovalAct, ApprovalState, Kind
from coupons.errors import Reason, Refused
from coupons.models import Approval, CouponTemplate, DoneAlone
from coupons.money import FEN_PER_YUAN


class Limit(models.TextChoices):
    """Which limit is passed, in words that take its value."""

    COUPONS = "coupons", _("More than %(limit)s coupons of one merchant within a day.")
    YUAN = "yuan", _("Coupons of one merchant worth more than ¥%(limit)s within a day.")
    TEMPLATE_YUAN = "template_yuan", _("One coupon is worth more than ¥%(limit)s.")
    PERCENT_PAID = "percent_paid", _("The customer pays less than %(limit)s percent.")
    COST_UNSAID = "cost_unsaid", _("Nobody has said what one dish at a special price costs.")


@dataclass(frozen=True, slots=True)
class Need:
    """Why a second person is needed. `earlier` coupons, done alone lately, count with these. Money in fen."""

    limit: Limit
    value: int
    coupons: int | None = None
    value_fen: int | None = None
    earlier: int = 0

    @property
    def words(self) -> str:
        """The limit that is passed."""
        return str(self.limit.label) % {"limit": f"{self.value:,}"}


class NeedsApproval(Refused):
    """One person may not do this alone. Nothing has been changed."""

    def __init__(self, need: Need) -> None:
        super().__init__(Reason.NEEDS_APPROVAL)
        self.need = need

    @property
    def message(self) -> str:
        """With the limit."""
        return f"{super().message} {self.need.words}"


def many(template: CouponTemplate, *, coupons: int, value_fen: int | None, gives: bool, by: Any = None) -> Need | None:
    """Whether so many, with what `by` issued (or took back) alone lately at the merchant, need a second person."""
    before_coupons, before_fen = _lately(template, by, gives=gives)
    if 0 < settings.APPROVE_COUPONS < coupons + before_coupons:
        return Need(Limit.COUPONS, settings.APPROVE_COUPONS, coupons, value_fen, before_coupons)
    if 0 < settings.APPROVE_YUAN * FEN_PER_YUAN < (value_fen or 0) + before_fen:
        return Need(Limit.YUAN, settings.APPROVE_YUAN, coupons, value_fen, before_coupons)
    return None


def worth_of(template: CouponTemplate, coupons: int) -> int | None:
    """What so many coupons of the template are worth as it stands, in fen; None where nobody has said it."""
    each = counting.cost_each(template)
    return None if each is None else each * coupons


def stand_alone(template: CouponTemplate, *, coupons: int, value_fen: int | None, gives: bool, by: Any = None) -> None:
    """Let somebody issue or take back so many alone, and remember it. The template is locked by the caller.

    Templates can be copied, so it counts by merchant, and whatever one person does at one merchant stands in line here.
    That lock is taken after all others, outbox rows too: whoever holds it waits for nothing more.

    Raises:
        NeedsApproval: it is above what one may do alone.
    """
    if by is not None:
        with connection.cursor() as cursor:
            line = f"done alone by {by.pk} at {template.merchant_id}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [line])
    if need := many(template, coupons=coupons, value_fen=value_fen, gives=gives, by=by):
        raise NeedsApproval(need)
    if by is not None:
        DoneAlone.objects.create(user=by, template=template, gives=gives, coupons=coupons, value_fen=value_fen or 0)


def one(template_id: int, *, value_fen: int | None, gives: bool, by: Any) -> None:
    """Let somebody issue or take back one coupon. Call it behind the act, in its transaction.

    Raises:
        NeedsApproval: they have done too much alone lately.
    """
    with transaction.atomic():
        locked = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template_id)
        stand_alone(locked, coupons=1, value_fen=value_fen, gives=gives, by=by)


def valuable(template: CouponTemplate) -> Need | None:
    """Whether one coupon of the template, as it stands, is worth so much that publishing it needs a second person."""
    each, limit = counting.cost_each(template), settings.APPROVE_TEMPLATE_YUAN
    if each is not None and 0 < limit * FEN_PER_YUAN < each:
        return Need(Limit.TEMPLATE_YUAN, limit, value_fen=each)
    if limit > 0 and template.kind == Kind.DISH_PRICE and each is None:
        return Need(Limit.COST_UNSAID, limit)
    least = settings.APPROVE_PERCENT_PAID
    if Kind(template.kind).is_discount and template.percent_paid is not None and template.percent_paid < least:
        return Need(Limit.PERCENT_PAID, least, value_fen=each)
    return None


def to_publish(template: CouponTemplate) -> Need | None:
    """Whether staff need a second person to publish or resume the template; not for what was approved before."""
    need = valuable(template)
    return need if need and not _approved_before(template, state_of(template)) else None


def to_change(stored: CouponTemplate, edited: CouponTemplate) -> Need | None:
    """Whether staff need a second person to change an open template so; not to take away, or to correct words."""
    after = state_of(edited)
    need = valuable(edited) if widens(state_of(stored), after) else None
    return need if need and not _approved_before(stored, after) else None


def rose(before: State, template: CouponTemplate) -> bool:
    """Whether a coupon promises more now, or other things, than when a batch was started (`state_of` then).

    Stock and budget are left out: how many the batch gives out is its own number.
    """
    if not whole(before):  # kept by an earlier release
        return True
    now = state_of(template)
    return widens(before, {**now, "limits": now["limits"] | {name: before["limits"][name] for name in HOW_MANY}})


def _approved_before(template: CouponTemplate, state: State) -> bool:
    """Whether a second person has said yes to this, or to more."""
    approved = Approval.objects.filter(
        template=template, act__in=[ApprovalAct.PUBLISH, ApprovalAct.CHANGE], state=ApprovalState.APPROVED
    )
    last = approved.order_by("-id").first()
    return last is not None and not widens(last.asked["after"], state)


def forget_old() -> int:
    """Remove what does not count any more; tells how many rows."""
    return DoneAlone.objects.filter(at__lt=_since()).delete()[0]


def _lately(template: CouponTemplate, by: Any, *, gives: bool) -> tuple[int, int]:
    if by is None:
        return 0, 0
    done = DoneAlone.objects.filter(user=by, template__merchant=template.merchant_id, gives=gives, at__gte=_since())
    sums = done.aggregate(coupons=Sum("coupons", default=0), fen=Sum("value_fen", default=0))
    return sums["coupons"], sums["fen"]


def _since() -> Any:
    return timezone.now() - timedelta(hours=settings.APPROVE_ALONE_HOURS)
