"""What merchants and their shops settle: redemptions by shop and day, and what has become of budgets. Sums of figures.

A shop is told by tills and apps when a coupon is redeemed; where it was not, or has been removed since, there is none.
Amounts are those that are known: a till's callback carries no money.
"""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate, DayFigures
from merchants.models import Merchant


class Grouping(models.TextChoices):
    """What makes one line. Each is of one merchant."""

    SHOP_AND_DAY = "shop_day", _("by shop and day")
    SHOP = "shop", _("by shop")
    DAY = "day", _("by day")

    @property
    def has_shop(self) -> bool:
        """Whether a line is of one shop."""
        return self != Grouping.DAY

    @property
    def has_day(self) -> bool:
        """Whether a line is of one day."""
        return self != Grouping.SHOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Redemptions added up: fen, and for how many of the coupons the amount is known."""

    redeemed: int = 0
    saved_fen: int = 0
    saved_known: int = 0
    paid_fen: int = 0
    paid_known: int = 0

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Sums":
        """The sums in a row of `lines`."""
        return cls(**{field.name: row[f"sum_{field.name}"] or 0 for field in fields(cls)})

    def __add__(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)})


_SUMS = {f"sum_{field.name}": Sum(field.name) for field in fields(Sums)}


def lines(merchants: QuerySet[Merchant], first: date, last: date, grouping: Grouping) -> QuerySet[Any, dict[str, Any]]:
    """The redemptions of a period (Shanghai days, both included), in the order of merchant, day and shop.

    Each row names `merchant_id`, `merchant__name`, by grouping `shop_id`, `shop__name` and `day`, and holds `Sums`.
    """
    keys = ["merchant_id", "merchant__name"]
    order: list[Any] = ["merchant__name", "merchant_id"]
    if grouping.has_day:
        keys.append("day")
        order.append("day")
    if grouping.has_shop:
        keys += ["shop_id", "shop__name"]
        order += [F("shop__name").asc(nulls_last=True), F("shop_id").asc(nulls_last=True)]
    return _of(merchants, first, last).values(*keys).annotate(**_SUMS).filter(sum_redeemed__gt=0).order_by(*order)


def total(merchants: QuerySet[Merchant], first: date, last: date) -> Sums:
    """All redemptions of a period."""
    return Sums.of(_of(merchants, first, last).aggregate(**_SUMS))


def budgets(merchants: QuerySet[Merchant]) -> QuerySet[CouponTemplate]:
    """Templates with a budget, those being issued first; each with `spent_fen`, what its redeemed coupons have cost.

    `committed_fen` is what is promised: coupons that are out or have been redeemed, each at what it counts.
    """
    spent = DayFigures.objects.filter(template=OuterRef("pk")).order_by().values("template")
    first = Case(When(status=TemplateStatus.PUBLISHED, then=Value(0)), default=Value(1))
    return (
        CouponTemplate.objects.filter(merchant__in=merchants, budget_fen__isnull=False)
        .select_related("merchant")
        .annotate(spent_fen=Coalesce(Subquery(spent.annotate(sum=Sum("spent_fen")).values("sum")), 0))
        .order_by(first, "-id")
    )


def _of(merchants: QuerySet[Merchant], first: date, last: date) -> QuerySet[DayFigures]:
    return DayFigures.objects.filter(merchant__in=merchants, day__range=(first, last))
