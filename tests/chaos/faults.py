"""What dfire does wrong: a share of all calls at random, and certain deliveries for certain.

A delivery is aimed at by its customer's mobile number, which goes out with it: the sandbox has a rule for each.
"""

from typing import Any

DELIVER = "dfire.shop.deliver.promotion"
TIME_LIMIT_MS = 1000  # of the account (see `tests/e2e/portal.py`)
TOO_SLOW_MS = 1600
JUST_IN_TIME_MS = 700

SHARES = {
    "drop_before": 0.04,
    "drop_after": 0.04,
    "http_500": 0.03,
    "http_500_after": 0.02,
    "garbage_after": 0.03,
    "truncated_after": 0.02,
    "empty_after": 0.01,
    "busy": 0.04,
    "latency_after": 0.02,
    "latency": 0.02,
}

# Mobile number -> fault, its probability, and milliseconds where it is a delay. What never acts must sometimes let
# through, or it would never be delivered.
_AIMED: dict[str, tuple[str, float, int]] = {
    "13700000001": ("drop_after", 1, 0),
    "13700000002": ("http_500_after", 1, 0),
    "13700000003": ("garbage_after", 1, 0),
    "13700000004": ("empty_after", 1, 0),
    "13700000005": ("latency_after", 1, TOO_SLOW_MS),
    "13700000006": ("latency", 0.7, TOO_SLOW_MS),
    "13700000007": ("drop_before", 0.7, 0),
    "13700000008": ("latency_after", 1, JUST_IN_TIME_MS),
}
ANSWERED_LATE = [mobile for mobile, (fault, _, _) in _AIMED.items() if fault == "latency_after"]
UNCERTAIN = [mobile for mobile, (_, _, wait) in _AIMED.items() if wait != JUST_IN_TIME_MS]


def fault_rules() -> list[dict[str, Any]]:
    """The sandbox's orders: the aimed ones first, because the first that fires is done."""
    aimed = [
        {"method": DELIVER, "fault": fault, "probability": probability, "latency_ms": wait, "where": {"mobile": mobile}}
        for mobile, (fault, probability, wait) in _AIMED.items()
    ]
    random = [
        {"method": "*", "fault": fault, "probability": share, "latency_ms": TOO_SLOW_MS * fault.startswith("latency")}
        for fault, share in SHARES.items()
    ]
    return aimed + random
