"""What staff can edit of a template, as one JSON value: to keep with a request, to compare, to bring back."""

from datetime import date
from typing import Any

from coupons.choices import Kind
from coupons.models import CouponTemplate
from coupons.terms import TERM_FIELDS

HOW_MANY = ("stock", "budget_fen")
LIMITS = ("stock", "per_person_limit", "per_person_daily_limit", "budget_fen", "cost_each_fen")
_WORDS = ("title", "notice")  # promise nothing
_DATES = ("start_date", "end_date")

State = dict[str, dict[str, Any]]


def state_of(template: CouponTemplate) -> State:
    """The terms, the limits and staff's own name for it. Money in fen, dates as ISO text."""
    return {
        "terms": template.terms().to_json(),
        "limits": {name: getattr(template, name) for name in LIMITS},
        "own": {"reference": template.reference},
    }


def bring(template: CouponTemplate, state: State) -> CouponTemplate:
    """Put a state into the template, which is not stored."""
    for name in TERM_FIELDS:
        value = state["terms"][name]
        setattr(template, name, date.fromisoformat(value) if name in _DATES else value)
    for name, value in (state["limits"] | state["own"]).items():
        setattr(template, name, value)
    return template


def whole(state: State) -> bool:
    """Whether it has all that a template has by now: one kept by an earlier release may lack something."""
    return set(TERM_FIELDS) <= set(state.get("terms", ())) and set(LIMITS) <= set(state.get("limits", ()))


def widens(before: State, after: State) -> bool:
    """Whether anything that is given out becomes more or other; what takes away, and words, do not count."""
    if not whole(before):
        return True
    old, new = before["terms"], after["terms"]
    if old["kind"] != new["kind"] or _worth_rises(old, new) or new["min_spend_fen"] < old["min_spend_fen"]:
        return True
    judged = {*_WORDS, "kind", "amount_fen", "percent_paid", "min_spend_fen"}
    if any(old[name] != new[name] for name in TERM_FIELDS if name not in judged):
        return True
    limits, more = before["limits"], after["limits"]
    return limits["cost_each_fen"] != more["cost_each_fen"] or any(
        _opens(limits[name], more[name]) for name in LIMITS if name != "cost_each_fen"
    )


def _worth_rises(old: dict[str, Any], new: dict[str, Any]) -> bool:
    if old["kind"] == Kind.DISH_PRICE:  # the amount is what the customer pays
        return bool((new["amount_fen"] or 0) < (old["amount_fen"] or 0))
    return (new["amount_fen"] or 0) > (old["amount_fen"] or 0) or (new["percent_paid"] or 0) < (
        old["percent_paid"] or 0
    )


def _opens(old: int | None, new: int | None) -> bool:
    return old is not None and (new is None or new > old)
