"""Templates of whose stock or budget little is left."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.dashboard.choice import Choice
from config.dashboard.numbers import list_of, money, whole
from config.navigation import may_view, visible_rows_of
from coupons.models import CouponTemplate
from coupons.reports import NearLimit, nearest_limits
from merchants.admin.badges import page_of

MOST_SHOWN = 6


def limits(request: HttpRequest, choice: Choice) -> dict[str, Any]:
    """The nearest ones; nothing for whoever may not see templates."""
    if not may_view("coupons.coupontemplate")(request):
        return {}
    near = nearest_limits(choice.narrowed(visible_rows_of(CouponTemplate, request)), choice.today)
    return {
        "shown": [_shown(one, several=len(choice.keys) > 1) for one in near[:MOST_SHOWN]],
        "count": len(near),
        "link": list_of(CouponTemplate, {"limit": "near", **choice.of_merchant()}),
        "more": len(near) > MOST_SHOWN,
    }


def _shown(near: NearLimit, *, several: bool) -> dict[str, Any]:
    template = near.template
    said = []
    if near.stock_percent is not None:
        said.append((_("stock"), whole(template.issued_count), whole(template.stock or 0), near.stock_percent))
    if near.budget_percent is not None:
        said.append((_("budget"), money(template.committed_fen), money(template.budget_fen or 0), near.budget_percent))
    return {
        "template": page_of(template),
        "merchant": template.merchant.name if several else "",
        "percent": near.percent,
        "full": near.percent >= 100,
        "said": [f"{name} {used} / {limit}" for name, used, limit, _percent in said],
    }
