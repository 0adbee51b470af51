"""A template as its customer would see it, while it is being typed, and what is to be said of it before it is saved.

Each field is read by itself: a wrong one is named, and the others show all the same. Nothing is locked or stored.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext

from coupons.admin.wording import shop_name
from coupons.advice import Advice, Limits, advice_on
from coupons.choices import Kind
from coupons.models import CouponTemplate
from coupons.money import yuan
from coupons.sentences import sentence, tenths
from coupons.terms import TERM_FIELDS, Terms
from coupons.validation import term_problems
from merchants.clock import local_day
from merchants.models import Merchant

_TYPED_AS = {"amount_fen": "amount", "min_spend_fen": "min_spend"}


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on the coupon: its value in large, from which bill on, and the rest in words."""

    sign: str
    value: str
    unit: str
    condition: str
    title: str
    words: str
    notice: str
    merchant: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The card, the labels of the fields that are missing or wrong, and the remarks."""

    card: Card
    missing: list[str] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)


def preview_of(template: CouponTemplate) -> Preview:
    """Of a template as it is stored."""
    terms = template.terms()
    limits = Limits(
        stock=template.stock,
        per_person=template.per_person_limit,
        per_person_daily=template.per_person_daily_limit,
        budget_fen=template.budget_fen,
        cost_each_fen=template.cost_each_fen,
    )
    problems = term_problems(terms)
    advice = [] if problems else advice_on(terms, limits, today=local_day(timezone.now()))
    return Preview(_card(terms, template.merchant), [], advice)


def preview_of_typed(form: Any) -> Preview:
    """Of a bound form, which is not validated as a whole."""
    values, wrong = _read(form)
    merchant = values.get("merchant") or (form.instance.merchant if form.instance.merchant_id else None)
    kind = Kind(values.get("kind") or Kind.CASH)
    terms = _terms(values, kind)
    needed = ["title", "start_date", "end_date", "percent_paid" if kind.is_discount else "amount"]
    needed += ["menu_ids"] if kind.is_dish else []
    empty = [name for name in needed if name in form.fields and name not in wrong and not values.get(name)]
    problems = {} if empty or wrong else term_problems(terms)
    marked = {_TYPED_AS.get(name, name) for name in problems} | set(empty) | _belonging(wrong, kind)
    missing = [capfirst(str(form.fields[name].label)) for name in form.fields if name in marked]
    limits = Limits(
        stock=values.get("stock"),
        per_person=values.get("per_person_limit"),
        per_person_daily=values.get("per_person_daily_limit"),
        budget_fen=values.get("budget"),
        cost_each_fen=values.get("cost_each"),
    )
    complete = not missing and not problems
    advice = advice_on(terms, limits, today=local_day(timezone.now())) if complete else []
    return Preview(_card(terms, merchant), missing, advice)


def _read(form: Any) -> tuple[dict[str, Any], set[str]]:
    """Each field's value, and the names of those that are wrong; an empty one that is required is None, not wrong."""
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for name, one in form.fields.items():
        typed = one.widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
        if typed in (None, "", []):
            values[name] = None
            continue
        try:
            values[name] = one.clean(typed)
        except ValidationError:
            wrong.add(name)
    return values, wrong


def _belonging(wrong: set[str], kind: Kind) -> set[str]:
    """Those of the wrong fields that the kind uses."""
    unused = {"amount"} if kind.is_discount else {"percent_paid"}
    return wrong - unused - (set() if kind.is_dish else {"menu_ids"})


def _terms(values: dict[str, Any], kind: Kind) -> Terms:
    """As far as they are known; dates may be missing, which nothing but the card takes."""
    lists = ("menu_ids", "shop_entity_ids", "use_weekdays", "use_times", "use_dates", "blackout_dates", "channels")
    known: dict[str, Any] = {name: values.get(name) for name in TERM_FIELDS}
    known |= {name: tuple(values.get(name) or ()) for name in lists}
    known |= {
        "kind": kind.value,
        "title": values.get("title") or "",
        "notice": values.get("notice") or "",
        "amount_fen": None if kind.is_discount else values.get("amount"),
        "percent_paid": values.get("percent_paid") if kind.is_discount else None,
        "min_spend_fen": values.get("min_spend") or 0,
    }
    if not kind.is_dish:
        known["menu_ids"] = ()
    return Terms(**known)


def _card(terms: Terms, merchant: Merchant | None) -> Card:
    sign, value, unit = _value(terms)
    least = terms.min_spend_fen
    return Card(
        sign=sign,
        value=value,
        unit=unit,
        condition=gettext("from ¥{yuan}").format(yuan=yuan(least)) if least else gettext("no least spend"),
        title=terms.title or gettext("Title of the coupon"),
        words=sentence(terms, shop_name=shop_name(terms, merchant) if merchant else ""),
        notice=terms.notice,
        merchant=merchant.name if merchant else "",
    )


def _value(terms: Terms) -> tuple[str, str, str]:
    """A sign before the number, the number, and what stands behind it."""
    if terms.kind_choice.is_discount:
        percent = terms.percent_paid
        number = gettext("{percent}%").format(percent=percent, zhe=tenths(percent)) if percent else "?"
        return "", number, gettext("to pay")
    unit = gettext("special price") if terms.kind == Kind.DISH_PRICE else gettext("off")
    return "¥", yuan(terms.amount_fen) if terms.amount_fen is not None else "?", unit
