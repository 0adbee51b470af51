"""What a template has given out, in pieces and in money: the two counters that stock and budget hold.

Both count coupons that are not revoked; the money of an expired coupon is free again, its place in the stock is not.
A replacement (`lifecycle.reissue`) stands in the place of the coupon that it replaces, which stays counted: it took
nothing and costs nothing, so it gives nothing back.
Updates lock the template's row (order of locks: customer, coupon, template, outbox row).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from coupons.choices import CouponStatus, Kind
from coupons.models import CouponTemplate, IssuedCoupon, Reissue

COST_SAID_BY_KIND = (Kind.CASH, Kind.DISH_CASH)
_TAKE = """
UPDATE coupons_coupontemplate SET issued_count = issued_count + %s, committed_fen = committed_fen + %s WHERE id = %s
"""


def cost_each(template: CouponTemplate) -> int | None:
    """What one coupon of the template costs at most, in fen; None where nobody has said it (a discount)."""
    return template.amount_fen if template.kind in COST_SAID_BY_KIND else template.cost_each_fen


def take(template: CouponTemplate, count: int) -> None:
    """Take so many from a locked template's stock and budget, which have room for them."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [count, (cost_each(template) or 0) * count, template.pk])


def room_in_budget(template: CouponTemplate) -> int | None:
    """How many coupons the budget still pays for; None without a limit."""
    each = cost_each(template)
    if template.budget_fen is None or not each:
        return None
    return (template.budget_fen - template.committed_fen) // each


def _uncounted(template: CouponTemplate) -> QuerySet[IssuedCoupon]:
    """Coupons out or redeemed that count nothing, because nobody had said what one costs when they were issued."""
    spends = [CouponStatus.ISSUED, CouponStatus.REDEEMING, CouponStatus.REDEEMED]
    return IssuedCoupon.objects.filter(template=template, cost_fen=None, status__in=spends)


@dataclass(frozen=True, slots=True)
class Late:
    """Coupons that a template's first budget takes over: how many, and what each counts, in fen."""

    count: int = 0
    each_fen: int = 0

    @property
    def money(self) -> int:
        """What all of them count, in fen."""
        return self.count * self.each_fen


def late(template: CouponTemplate) -> Late:
    """What an edited template's first budget has to take over: coupons issued while nobody had said what one costs.

    Locks those coupons; call it before the template is locked. Later on nothing is left to take over.
    """
    stored = CouponTemplate.objects.filter(pk=template.pk).first()
    if stored is None or template.budget_fen is None:
        return Late()
    said_by_kind = stored.kind in COST_SAID_BY_KIND
    each = stored.amount_fen if said_by_kind else template.cost_each_fen
    first = stored.budget_fen is None or not (said_by_kind or stored.cost_each_fen)
    if not first or not each:
        return Late()
    return Late(len(_uncounted(template).select_for_update(no_key=True).order_by("pk").values_list("pk")), each)


def count_late(template: CouponTemplate, found: Late) -> None:
    """Let the coupons that `late` has locked count in the (locked) template's budget from now on."""
    if found.money:
        taken_over = _uncounted(template).update(cost_fen=found.each_fen)
        more = F("committed_fen") + taken_over * found.each_fen
        CouponTemplate.objects.filter(pk=template.pk).update(committed_fen=more)


def give_back(coupons: Sequence[IssuedCoupon]) -> None:
    """Coupons that are being revoked free their place and their money; of an expired one the money is free already."""
    places, money = Counter[int](), Counter[int]()
    in_anothers_place = standing_in(coupons)
    for coupon in coupons:
        if coupon.pk in in_anothers_place:
            continue
        places[coupon.template_id] += 1
        money[coupon.template_id] += 0 if coupon.status == CouponStatus.EXPIRED else coupon.cost_fen or 0
    for template_id, count in sorted(places.items()):
        CouponTemplate.objects.filter(pk=template_id).update(
            issued_count=F("issued_count") - count,
            committed_fen=Greatest(F("committed_fen") - money[template_id], Value(0)),
        )


def standing_in(coupons: Sequence[IssuedCoupon]) -> set[int]:
    """The keys of those coupons that replace another, in whose place they stand."""
    return set(Reissue.objects.filter(replacement__in=coupons).values_list("replacement", flat=True))


def free_money(coupons: Sequence[IssuedCoupon]) -> None:
    """Expired coupons cost nothing any more."""
    money: Counter[int] = Counter()
    for coupon in coupons:
        money[coupon.template_id] += coupon.cost_fen or 0
    for template_id, fen in sorted(money.items()):
        if fen:
            CouponTemplate.objects.filter(pk=template_id).update(
                committed_fen=Greatest(F("committed_fen") - fen, Value(0))
            )


def take_back(coupon: IssuedCoupon, *, place: bool) -> None:
    """A revoked (`place`) or expired coupon was redeemed and counts again, as far as there is room left."""
    own = CouponTemplate.objects.filter(pk=coupon.template_id)
    if place and not standing_in([coupon]):
        own.filter(Q(stock=None) | Q(issued_count__lt=F("stock"))).update(issued_count=F("issued_count") + 1)
    if coupon.cost_fen:
        after = F("committed_fen") + coupon.cost_fen
        own.filter(Q(budget_fen=None) | Q(budget_fen__gte=after)).update(committed_fen=after)
