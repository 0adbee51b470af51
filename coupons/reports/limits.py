"""Templates that still can be issued and soon cannot: little of their stock or of their budget is left."""

from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate

NEAR_PERCENT = 80
# Four fifths of a whole number, rounded up, without leaving whole numbers.
_STOCK = Q(stock__isnull=False, issued_count__gte=F("stock") - F("stock") / 5)
_BUDGET = Q(budget_fen__isnull=False, committed_fen__gte=F("budget_fen") - F("budget_fen") / 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearLimit:
    """How much of a template's stock and budget is used, in percent rounded down; None without such a limit."""

    template: CouponTemplate
    stock_percent: int | None
    budget_percent: int | None

    @property
    def percent(self) -> int:
        """The nearer one."""
        return max(self.stock_percent or 0, self.budget_percent or 0)


def near_limits(templates: QuerySet[CouponTemplate], today: date) -> QuerySet[CouponTemplate]:
    """Those of these templates, published or paused and not over, of whose stock or budget 80 percent are used."""
    going = templates.filter(status__in=[TemplateStatus.PUBLISHED, TemplateStatus.PAUSED], end_date__gte=today)
    return going.filter(_STOCK | _BUDGET)


def nearest_limits(templates: QuerySet[CouponTemplate], today: date) -> list[NearLimit]:
    """The same with their numbers, what is nearest to its limit first."""
    found = [
        NearLimit(
            template=template,
            stock_percent=_percent(template.issued_count, template.stock),
            budget_percent=_percent(template.committed_fen, template.budget_fen),
        )
        for template in near_limits(templates, today).select_related("merchant")
    ]
    return sorted(found, key=lambda near: (-near.percent, near.template.pk))


def _percent(used: int, limit: int | None) -> int | None:
    if limit is None:
        return None
    return used * 100 // limit if limit else 100
