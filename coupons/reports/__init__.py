"""Figures for people: what was issued, redeemed and saved in a period, by day and by template, and what nears its end.

Pure questions without a request: callers say which merchants (`merchants.scopes.visible_merchants`) and which days. All
sums come from `coupons_dayfigures`; nothing here counts the table of coupons but by the small index of those that wait.
"""

from coupons.reports.limits import NEAR_PERCENT, NearLimit, near_limits, nearest_limits
from coupons.reports.period import Bucket, Period, Step
from coupons.reports.sums import Figures, TemplateFigures, added, by_day, in_buckets, keys_of, top_templates, totals
from coupons.reports.waiting import days_ahead, waiting, waiting_that_end

__all__ = [
    "NEAR_PERCENT",
    "Bucket",
    "Figures",
    "NearLimit",
    "Period",
    "Step",
    "TemplateFigures",
    "added",
    "by_day",
    "days_ahead",
    "in_buckets",
    "keys_of",
    "near_limits",
    "nearest_limits",
    "top_templates",
    "totals",
    "waiting",
    "waiting_that_end",
]
