"""Which terms may be promised at all. Forms, pushes and provisioning ask here, before anything is stored or queued.

Tills take whole yuan and whole percents (seed 003 §4), so terms that do not fit are refused, never rounded.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from coupons.choices import Channel, Kind, Weekday
from coupons.ranges import DateRange, TimeRange
from coupons.terms import Terms

FEN_PER_YUAN = 100
LARGEST_AMOUNT_FEN = 10_000_000  # 100,000 yuan: above it, a slip of the finger is likelier than a coupon
LONGEST_TITLE = 100
MOST_ENTRIES = 200
SENSIBLE_YEARS = range(2000, 2200)  # beyond them lie slips of the finger, and dates that cannot be added to

Problems = dict[str, list[str]]


def term_problems(terms: Terms) -> Problems:
    """What is wrong with the terms: messages by field name; empty if nothing is."""
    found: Problems = {}

    def say(field: str, message: str) -> None:
        found.setdefault(field, []).append(message)

    if terms.kind not in Kind.values:
        say("kind", _("Choose one of: %(choices)s.") % {"choices": ", ".join(Kind.values)})
        return found
    _check_worth(terms, say)
    _check_dates(terms, say)
    if not terms.title.strip():
        say("title", _("A coupon needs a title."))
    elif len(terms.title) > LONGEST_TITLE:
        say("title", _("At most %(most)s characters.") % {"most": LONGEST_TITLE})
    if not 0 <= terms.min_spend_fen <= LARGEST_AMOUNT_FEN:
        say("min_spend_fen", _("The least spend lies between 0 and 100,000 yuan."))
    if any(day not in Weekday.values for day in terms.use_weekdays):
        say("use_weekdays", _("Weekdays are numbers from 1 (Monday) to 7 (Sunday)."))
    if any(channel not in Channel.values for channel in terms.channels):
        say("channels", _("Choose one of: %(choices)s.") % {"choices": ", ".join(Channel.values)})
    _check_ranges("use_times", terms.use_times, TimeRange.parse, say)
    _check_ranges("use_dates", terms.use_dates, DateRange.parse, say)
    _check_ranges("blackout_dates", terms.blackout_dates, DateRange.parse, say)
    return found


def _check_worth(terms: Terms, say: Callable[[str, str], None]) -> None:
    kind = Kind(terms.kind)
    if kind.is_discount:
        if terms.amount_fen is not None:
            say("amount_fen", _("A discount has no amount."))
        if terms.percent_paid is None:
            say("percent_paid", _("A discount needs the percent that is paid."))
        elif not 1 <= terms.percent_paid <= 99:
            say("percent_paid", _("The percent that is paid lies between 1 and 99."))
    else:
        if terms.percent_paid is not None:
            say("percent_paid", _("Only a discount has a percent."))
        if terms.amount_fen is None:
            say("amount_fen", _("This kind of coupon needs an amount."))
        elif not 0 < terms.amount_fen <= LARGEST_AMOUNT_FEN:
            say("amount_fen", _("The amount lies above 0 and is at most 100,000 yuan."))
        elif terms.amount_fen % FEN_PER_YUAN:
            say("amount_fen", _("Tills take whole yuan: the amount must be a multiple of 100 fen."))
    if kind.is_dish and not terms.menu_ids:
        say("menu_ids", _("A dish coupon names its dishes."))
    if not kind.is_dish and terms.menu_ids:
        say("menu_ids", _("Only dish coupons name dishes."))
    if len(terms.menu_ids) > MOST_ENTRIES or any(not entry or "," in entry for entry in terms.menu_ids):
        say("menu_ids", _("At most 200 dish IDs, none empty and none with a comma."))


def _check_dates(terms: Terms, say: Callable[[str, str], None]) -> None:
    for field, day in (("start_date", terms.start_date), ("end_date", terms.end_date)):
        if day.year not in SENSIBLE_YEARS:
            say(field, _("Years lie between 2000 and 2199."))
    if terms.end_date < terms.start_date:
        say("end_date", _("The end lies before the start."))
    if terms.valid_days is not None and not 1 <= terms.valid_days <= 3650:
        say("valid_days", _("Days of validity lie between 1 and 3650."))


def _check_ranges(
    field: str, entries: Sequence[str], parse: Callable[[str], Any], say: Callable[[str, str], None]
) -> None:
    if len(entries) > MOST_ENTRIES:
        say(field, _("At most %(most)s entries.") % {"most": MOST_ENTRIES})
    for entry in entries[:MOST_ENTRIES]:
        try:
            parse(entry)
        except ValueError as error:
            say(field, f"{entry}: {error}")
