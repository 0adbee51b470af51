"""What an edit of a template changes, in words: field by field, before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.money import yuan
from coupons.admin.wording import least_spend, shop_names, worth
from coupons.choices import Channel, Kind
from coupons.models import CouponTemplate
from coupons.sentences import day_in_words, listed, range_in_words, weekdays_in_words


@dataclass(frozen=True, slots=True)
class Change:
    """One field. `of_terms`: it is part of what a holder is promised."""

    label: str
    before: str
    after: str
    of_terms: bool


def changes_of(stored: CouponTemplate, edited: CouponTemplate) -> list[Change]:
    """The fields that differ, in the order of the form; the reference, which is staff's own, is none of them."""
    before, after = _in_words(stored), _in_words(edited)
    return [
        Change(capfirst(str(label)), old, new, of_terms)
        for (label, of_terms, old), (_label, _of_terms, new) in zip(before, after, strict=True)
        if old != new
    ]


def digest(changes: Iterable[Change]) -> str:
    """Stands for these very changes: who said yes to them has not said yes to others."""
    return sha256(repr(list(changes)).encode()).hexdigest()[:32]


def _in_words(template: CouponTemplate) -> list[tuple[Any, bool, str]]:
    """Label, whether it is part of the terms, and words, for each field."""
    days, every = template.valid_days, gettext("no restriction")
    return [
        (_("title"), True, template.title),
        (_("customer's notice"), True, template.notice or "-"),
        (_("kind"), True, str(Kind(template.kind).label)),
        (_("worth"), True, worth(template.kind, template.amount_fen, template.percent_paid)),
        (_("dish IDs"), True, listed(template.menu_ids) or "-"),
        (_("least spend"), True, least_spend(template.min_spend_fen)),
        (_("start date"), True, day_in_words(template.start_date)),
        (_("end date"), True, day_in_words(template.end_date)),
        (_("days valid after receipt"), True, str(days) if days else gettext("to the end date")),
        (_("valid in these shops"), True, shop_names(template.shop_entity_ids, template.merchant)),
        (_("channels"), True, listed(str(Channel(one).label) for one in sorted(template.channels)) or every),
        (_("weekdays"), True, weekdays_in_words(template.use_weekdays) or every),
        (_("hours"), True, listed(template.use_times) or every),
        (_("dates of use"), True, listed(map(range_in_words, template.use_dates)) or every),
        (_("excluded dates"), True, listed(map(range_in_words, template.blackout_dates)) or "-"),
        (_("stock"), False, _limit(template.stock)),
        (_("budget"), False, _money(template.budget_fen)),
        (_("cost of one"), False, "-" if template.cost_each_fen is None else f"¥{yuan(template.cost_each_fen)}"),
        (_("per person"), False, _limit(template.per_person_limit)),
        (_("per person and day"), False, _limit(template.per_person_daily_limit)),
    ]


def _limit(count: int | None) -> str:
    return gettext("no limit") if count is None else str(count)


def _money(fen: int | None) -> str:
    return gettext("no limit") if fen is None else f"¥{yuan(fen)}"
