"""What was issued, redeemed and saved in the chosen days: the cards, the funnel and the best templates."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.dashboard.chart import chart, charted_days
from config.dashboard.choice import Choice
from config.dashboard.numbers import list_of, money, percent, whole
from config.navigation import may_view
from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from coupons.reports import Figures, TemplateFigures, added, by_day, in_buckets, top_templates
from merchants.admin.badges import page_of

MOST_TEMPLATES = 8


def coupon_figures(request: HttpRequest, choice: Choice) -> dict[str, Any]:
    """All of it; nothing for whoever may not see coupons or has no merchant."""
    if not may_view("coupons.issuedcoupon")(request) or not choice.keys:
        return {}
    charted = charted_days(choice.period)
    days = by_day(choice.keys, charted)
    sums = added({day: of for day, of in days.items() if day >= choice.period.first})
    return {
        "sums": sums,
        "cards": _cards(sums, choice),
        "chart": chart(charted, in_buckets(days, charted.buckets())),
        "nothing_charted": added(days).nothing,
        "funnel": _funnel(sums, choice),
        "top": _top(choice) if may_view("coupons.coupontemplate")(request) else None,
    }


def _days(field: str, choice: Choice, **more: str) -> str:
    """The list of coupons of the chosen days and merchant."""
    days = {f"{field}_from": choice.period.first.isoformat(), f"{field}_to": choice.period.last.isoformat()}
    return list_of(IssuedCoupon, {**days, **more, **choice.of_merchant()})


def _cards(sums: Figures, choice: Choice) -> list[dict[str, Any]]:
    of_redeemed = _("known for {known} of {all} redemptions")
    return [
        {
            "title": _("Issued"), "icon": "confirmation_number", "text": whole(sums.issued),
            "below": gettext("{count} of them are at dfire").format(count=whole(sums.delivered)),
            "link": _days("issued_at", choice),
        },
        {
            "title": _("Redeemed"), "icon": "point_of_sale", "text": whole(sums.redeemed),
            "below": _("in these days, whenever issued"), "link": _days("redeemed_at", choice),
        },
        {
            "title": _("Redemption rate"), "icon": "percent", "text": percent(sums.rate),
            "below": gettext("{used} of {issued} issued are redeemed by now").format(
                used=whole(sums.used), issued=whole(sums.issued)
            ),
        },
        {
            "title": _("Customers saved"), "icon": "savings", "text": _known(sums.saved_fen, sums.saved_known),
            "below": str(of_redeemed).format(known=whole(sums.saved_known), all=whole(sums.redeemed)),
        },
        {
            "title": _("Customers paid"), "icon": "payments", "text": _known(sums.paid_fen, sums.paid_known),
            "below": str(of_redeemed).format(known=whole(sums.paid_known), all=whole(sums.redeemed)),
        },
    ]  # fmt: skip


def _known(fen: int, known: int) -> str:
    """A sum; a dash where no redemption's is known, which is not the same as nought."""
    return money(fen) if known else "–"


def _funnel(sums: Figures, choice: Choice) -> dict[str, Any]:
    """What has become of the coupons issued in these days."""
    steps = [
        (_("Issued"), sums.issued, {}),
        (_("Delivered to dfire"), sums.delivered, {"delivery__exact": Delivery.DELIVERED.value}),
        (_("Redeemed"), sums.used, {"status__exact": CouponStatus.REDEEMED.value}),
    ]
    ends = [
        (CouponStatus.EXPIRED.label, sums.expired, CouponStatus.EXPIRED),
        (CouponStatus.REVOKED.label, sums.revoked, CouponStatus.REVOKED),
    ]
    return {
        "steps": [
            {
                "title": title, "count": whole(count), "percent": percent(count / sums.issued if sums.issued else None),
                "width": round(100 * count / sums.issued) if sums.issued else 0,
                "link": _days("issued_at", choice, **query),
            }
            for title, count, query in steps
        ],
        "ends": [
            {"title": title, "count": whole(count), "link": _days("issued_at", choice, status__exact=status.value)}
            for title, count, status in ends
        ],
    }  # fmt: skip


def _top(choice: Choice) -> dict[str, Any]:
    best = top_templates(choice.keys, choice.period, limit=MOST_TEMPLATES)
    return {
        "headers": [_("Template"), _("Redeemed"), _("Issued"), _("Redemption rate")],
        "rows": [_row(top, several=len(choice.keys) > 1) for top in best],
    }


def _row(top: TemplateFigures, *, several: bool) -> dict[str, Any]:
    figures = top.figures
    return {
        "template": page_of(top.template),
        "merchant": top.template.merchant.name if several else "",
        "numbers": [whole(figures.redeemed), whole(figures.issued), percent(figures.rate)],
    }
