"""The chart of the first page: what Unfold's chart component and Chart.js, which Unfold brings with it, are given."""

import json
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.dashboard.numbers import whole
from coupons.reports import Bucket, Figures, Period, Step

_LEAST_DAYS = 7  # fewer bars say nothing: a single day is shown with the days before it
_GREY = "#9ca3af"  # as in Unfold's own charts; readable on both themes

OPTIONS = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "datasets": {"bar": {"borderRadius": 3, "maxBarThickness": 22, "categoryPercentage": 0.7, "barPercentage": 0.9}},
    "plugins": {
        "legend": {
            "display": True, "align": "end", "position": "top",
            "labels": {"usePointStyle": True, "pointStyle": "circle", "boxHeight": 6, "boxWidth": 6, "color": _GREY},
        }
    },
    "scales": {
        "x": {"grid": {"display": False}, "border": {"display": False},
              "ticks": {"color": _GREY, "maxRotation": 0, "autoSkipPadding": 12}},
        "y": {"beginAtZero": True, "border": {"display": False, "dash": [4, 4]}, "grid": {"lineWidth": 1},
              "ticks": {"color": _GREY, "precision": 0, "maxTicksLimit": 6}},
    },
}  # fmt: skip


def charted_days(period: Period) -> Period:
    """The days that the chart shows."""
    return period if period.days >= _LEAST_DAYS else Period.until(period.last, _LEAST_DAYS)


def chart(period: Period, sums: list[Figures]) -> dict[str, Any]:
    """For Unfold's chart, and the same numbers as a table for whoever cannot see it."""
    words = {Step.DAY: _("by day"), Step.WEEK: _("by week"), Step.MONTH: _("by month")}
    labels = [_label(bucket, period.step) for bucket in period.buckets()]
    series = [
        (gettext("Issued"), [figures.issued for figures in sums], "var(--color-primary-300)"),
        (gettext("Redeemed"), [figures.redeemed for figures in sums], "var(--color-primary-600)"),
    ]
    sets = [{"label": name, "data": values, "backgroundColor": colour} for name, values, colour in series]
    return {
        "data": json.dumps({"labels": labels, "datasets": sets}, ensure_ascii=False),
        "options": json.dumps(OPTIONS),
        "step": words[period.step],
        "period": f"{period.first.isoformat()} – {period.last.isoformat()}",
        "table": {
            "headers": [_("Days"), _("Issued"), _("Redeemed")],
            "rows": [[label, whole(of.issued), whole(of.redeemed)] for label, of in zip(labels, sums, strict=True)],
        },
    }


def _label(bucket: Bucket, step: Step) -> str:
    if step is Step.DAY:
        return f"{bucket.first:%m-%d}"
    return f"{bucket.first:%m-%d} – {bucket.last:%m-%d}" if step is Step.WEEK else f"{bucket.first:%Y-%m}"
