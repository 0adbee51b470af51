"""What the audit trail says of templates, their versions and batches: yuan, dishes, shops and days in words."""

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from coupons.admin.money import yuan
from coupons.admin.wording import shop_names, term_lines
from coupons.choices import Channel
from coupons.sentences import listed, range_in_words, weekdays_in_words
from coupons.terms import Terms
from merchants.admin.trail_words import say
from merchants.models import AuditEntry


def _money(value: Any, entry: AuditEntry) -> str:
    return f"¥{yuan(value)}" if isinstance(value, int) else str(value)


def _percent(value: Any, entry: AuditEntry) -> str:
    return f"{value}%"


def _listed(value: Any, entry: AuditEntry) -> str:
    return listed(map(str, value))


def _shops(value: Any, entry: AuditEntry) -> str:
    return shop_names(value, entry.merchant) if entry.merchant is not None else _listed(value, entry)


def _terms(value: Any, entry: AuditEntry) -> str:
    """All of them, one below the other; as they were stored where they cannot be read any more."""
    try:
        terms = Terms.from_json(value)
    except (KeyError, TypeError, ValueError):
        return str(value)
    if entry.merchant is None:
        return str(value)
    return "\n".join(f"{capfirst(str(label))}: {words}" for label, words in term_lines(terms, entry.merchant))


say(
    "coupons.coupontemplate",
    {
        "amount_fen": (_("amount"), _money),
        "min_spend_fen": (_("least spend"), _money),
        "budget_fen": (_("budget"), _money),
        "cost_each_fen": (_("cost of one"), _money),
        "percent_paid": (None, _percent),
        "menu_ids": (None, _listed),
        "shop_entity_ids": (_("valid in these shops"), _shops),
        "use_weekdays": (None, lambda value, entry: weekdays_in_words(value)),
        "use_times": (None, _listed),
        "use_dates": (None, lambda value, entry: listed(map(range_in_words, value))),
        "blackout_dates": (None, lambda value, entry: listed(map(range_in_words, value))),
        "channels": (None, lambda value, entry: listed(_channel(one) for one in value)),
    },
)
say("coupons.templateversion", {"terms_json": (None, _terms)})


def _channel(value: Any) -> str:
    return str(Channel(value).label) if value in Channel.values else str(value)
