"""A coupon's terms as one plain sentence in the active language: what staff check with one look.

In English: ¥10 off from ¥50, Mon–Fri 11:00–14:00, 3 shops, valid 15 days from receipt. In Chinese:
满50减10，周一至周五 11:00–14:00，3家门店，领取后15天内有效. What does not restrict is left out, except the shops.
Nothing here asks the database, so that it serves terms that are stored and terms that are being typed alike.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils import formats
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from coupons.choices import Channel, Kind
from coupons.money import yuan
from coupons.ranges import DateRange
from coupons.terms import Terms

WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
_SHORTEST_RUN = 3  # of weekdays that are named by the first and the last


def sentence(terms: Terms, *, shop_name: str = "") -> str:
    """All of the terms but title and notice. `shop_name` is the name of the one shop, where it is one and is known."""
    clauses = [
        *worth_clauses(terms.kind, terms.amount_fen, terms.percent_paid, terms.min_spend_fen, len(terms.menu_ids)),
        hours_clause(terms.use_weekdays, terms.use_times),
        dates_clause(terms.use_dates),
        excluded_clause(terms.blackout_dates),
        channel_clause(terms.channels),
        shops_clause(len(terms.shop_entity_ids), shop_name),
        validity_clause(terms.valid_days, terms.end_date),
    ]
    return _joined(clauses)


def worth_clauses(
    kind: str, amount_fen: int | None, percent_paid: int | None, min_spend_fen: int, dishes: int
) -> list[str]:
    """What it takes off and from which bill on; `dishes` is how many are named. Money in fen."""
    least = yuan(min_spend_fen)
    if amount_fen is None and percent_paid is None:
        return [gettext("worth not entered yet")]
    if Kind(kind).is_dish:
        said = _dish_worth(kind).format(
            yuan=yuan(amount_fen or 0),
            percent=percent_paid or 0,
            zhe=tenths(percent_paid or 0),
            dishes=_dishes(dishes),
        )
        return [said, gettext("on bills from ¥{yuan}").format(yuan=least) if min_spend_fen else ""]
    if percent_paid is not None:
        words = gettext("pay {percent}% from ¥{least}") if min_spend_fen else gettext("pay {percent}%")
        return [words.format(percent=percent_paid, zhe=tenths(percent_paid), least=least)]
    words = gettext("¥{yuan} off from ¥{least}") if min_spend_fen else gettext("¥{yuan} off")
    return [words.format(yuan=yuan(amount_fen or 0), least=least)]


def tenths(percent_paid: int) -> str:
    """Percent paid as Chinese names a discount: 90 is 9 (折), 85 is 8.5."""
    whole, rest = divmod(percent_paid, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def hours_clause(weekdays: Sequence[int], times: Sequence[str]) -> str:
    """On which days of the week and at what hours."""
    hours = listed(text.replace("-", "–") for text in times)
    return " ".join(part for part in (weekdays_in_words(weekdays), hours) if part)


def weekdays_in_words(weekdays: Sequence[int]) -> str:
    """ISO weekdays in words, three and more in a row by the first and the last; nothing where it is all of them."""
    days = sorted({day for day in weekdays if 1 <= day <= len(WEEKDAYS)})
    if len(days) in (0, len(WEEKDAYS)):
        return ""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    words: list[str] = []
    for run in runs:
        names = [str(WEEKDAYS[day - 1]) for day in run]
        through = gettext("{first}–{last}").format(first=names[0], last=names[-1])
        words += [through] if len(run) >= _SHORTEST_RUN else names
    return listed(words)


def dates_clause(ranges: Sequence[str]) -> str:
    """On which dates alone."""
    return gettext("only on {dates}").format(dates=listed(map(range_in_words, ranges))) if ranges else ""


def excluded_clause(ranges: Sequence[str]) -> str:
    """On which dates not."""
    return gettext("not on {dates}").format(dates=listed(map(range_in_words, ranges))) if ranges else ""


def range_in_words(text: str) -> str:
    """A stored range of dates as it is said; what is no range stays as it stands."""
    try:
        dates = DateRange.parse(text)
    except ValueError:
        return text
    first, last = day_in_words(dates.first), day_in_words(dates.last)
    return first if dates.first == dates.last else gettext("{first} to {last}").format(first=first, last=last)


def day_in_words(day: date) -> str:
    """A date as the active language writes it."""
    return str(formats.date_format(day, "DATE_FORMAT"))


def channel_clause(channels: Sequence[str]) -> str:
    """In which one way it may be used; nothing where it is every way."""
    known = [channel for channel in Channel if channel.value in channels]
    if len(known) in (0, len(Channel)):
        return ""
    return gettext("{channels} only").format(channels=listed(str(channel.label) for channel in known))


def shops_clause(count: int, name: str = "") -> str:
    """In how many shops, or in which one."""
    if not count:
        return gettext("all shops")
    if count == 1 and name:
        return name
    return ngettext("{count} shop", "{count} shops", count).format(count=count)


def validity_clause(valid_days: int | None, end_date: date | None) -> str:
    """How long a coupon that was received is valid; nothing while its end is not entered."""
    if valid_days is None:
        return gettext("valid until {day}").format(day=day_in_words(end_date)) if end_date else ""
    if valid_days == 1:
        return gettext("valid on the day of receipt")
    return gettext("valid {count} days from receipt").format(count=valid_days)


def _dishes(count: int) -> str:
    if not count:
        return gettext("chosen dishes")
    return ngettext("{count} chosen dish", "{count} chosen dishes", count).format(count=count)


def _dish_worth(kind: str) -> str:
    if kind == Kind.DISH_DISCOUNT:
        return gettext("pay {percent}% for {dishes}")
    if kind == Kind.DISH_PRICE:
        return gettext("{dishes} for ¥{yuan}")
    return gettext("¥{yuan} off {dishes}")


def _joined(clauses: list[str]) -> str:
    """The sign that stands between clauses is the language's, as is the one between the entries of a list."""
    between = gettext("{first}, {second}")[len("{first}") : -len("{second}")]
    return between.join(clause for clause in clauses if clause)


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence."""
    return gettext("{one}, {two}")[len("{one}") : -len("{two}")].join(words)
