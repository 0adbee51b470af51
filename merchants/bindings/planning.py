"""What a binding file would do, row by row: new, changed, the same, or not to be done and why. Changes nothing.

An empty cell leaves what is there; an openid is never taken from one customer for another; whoever was erased does not
come back by a file.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchants.bindings.reading import Entry
from merchants.erasing import of_names
from merchants.models import Customer, Merchant
from merchants.models.customer import ERASED, is_mobile

LONGEST = 128  # of an identifier and of an openid, as their columns are
_AT_ONCE = 500  # rows that are looked up with one question of each kind
_OPENID = re.compile(r"[!-~]+\Z")


class Verdict(StrEnum):
    """What a row comes to."""

    NEW = "new"
    CHANGE = "change"
    EQUAL = "equal"
    BAD = "bad"


class Why(models.TextChoices):
    """Why a row is not done; `%(row)s` is the other row's number."""

    NOBODY = "nobody", _("Nobody is named: enter the identifier or the mobile number.")
    NOTHING = "nothing", _("Neither a mobile number nor an openid stands in this row.")
    BAD_MOBILE = "bad_mobile", _("This is no mobile number: 11 digits that start with 1.")
    BAD_OPENID = "bad_openid", _("This is no openid: letters, digits and signs without blanks, 128 at most.")
    TOO_LONG = "too_long", _("The identifier is longer than 128 characters.")
    SEVERAL = "several", _("Several customers have this mobile number; name one by identifier.")
    UNKNOWN = "unknown", _("No customer has this identifier or mobile number.")
    WAS_ERASED = "erased", _("This customer was erased. Whoever comes back is entered by hand.")
    OPENID_TAKEN = "openid_taken", _("Another customer of this merchant has this openid.")
    OPENID_TWICE = "openid_twice", _("Row %(row)s gives the same openid to another customer.")
    TWICE = "twice", _("Row %(row)s says something else about the same customer.")


@dataclass(frozen=True, slots=True)
class Planned:
    """A row with what it comes to. `customer` is who it is about, if known; `changes` the fields that get a new value;
    `other` the row that it contradicts."""

    entry: Entry
    verdict: Verdict
    why: Why | None = None
    customer: Customer | None = None
    changes: tuple[str, ...] = ()
    other: int = 0

    @property
    def reason(self) -> str:
        """Why it is not done, in words of the active language."""
        return str(self.why.label) % {"row": self.other} if self.why else ""


def plan(merchant: Merchant, entries: Sequence[Entry], *, adds_unknown: bool) -> list[Planned]:
    """What the rows would do to the merchant's customers now, in their order.

    Args:
        adds_unknown: whether customers who are not known yet would be entered, or are a mistake.
    """
    planned = []
    for start in range(0, len(entries), _AT_ONCE):
        some = entries[start : start + _AT_ONCE]
        known = _Known(merchant, some)
        planned += [_judge(entry, known, adds_unknown=adds_unknown) for entry in some]
    return _without_contradictions(planned)


class _Known:
    """What the database says of the people whom some rows name."""

    def __init__(self, merchant: Merchant, entries: Iterable[Entry]) -> None:
        own = Customer.objects.filter(merchant=merchant)
        names = {entry.name for entry in entries if entry.name}
        openids = {entry.openid for entry in entries if entry.openid}
        mobiles = {name for name in names if is_mobile(name)}
        found = own.filter(Q(identifier__in=names) | Q(openid__in=(names | openids) - {""}))
        self.by_identifier: dict[str, Customer] = {}
        self.by_openid: dict[str, Customer] = {}
        self.by_mobile: dict[str, list[Customer]] = defaultdict(list)
        for customer in found:
            self.by_identifier[customer.identifier] = customer
            if customer.openid:
                self.by_openid[customer.openid] = customer
        for customer in own.filter(mobile__in=mobiles):
            self.by_mobile[customer.mobile].append(customer)
        unknown = [name for name in names if name not in self.by_identifier]
        self.has_erasures = of_names(unknown).filter(customer__merchant=merchant).exists()
        self._merchant = merchant

    def was_erased(self, name: str) -> bool:
        """Whether someone of this name was erased here; asked one by one only where it is so of one of them."""
        return self.has_erasures and of_names([name]).filter(customer__merchant=self._merchant).exists()


def _judge(entry: Entry, known: _Known, *, adds_unknown: bool) -> Planned:
    if why := _wrong_by_itself(entry):
        return Planned(entry, Verdict.BAD, why)
    customer = known.by_identifier.get(entry.name) or known.by_openid.get(entry.name)
    if customer is None and (owners := known.by_mobile.get(entry.name)):
        if len(owners) > 1:
            return Planned(entry, Verdict.BAD, Why.SEVERAL)
        customer = owners[0]
    holder = known.by_openid.get(entry.openid) if entry.openid else None
    if holder is not None and holder != customer:
        return Planned(entry, Verdict.BAD, Why.OPENID_TAKEN, customer)
    if customer is None:
        if known.was_erased(entry.name):
            return Planned(entry, Verdict.BAD, Why.WAS_ERASED)
        return Planned(entry, Verdict.NEW) if adds_unknown else Planned(entry, Verdict.BAD, Why.UNKNOWN)
    wanted = {"mobile": entry.mobile, "openid": entry.openid}
    changes = tuple(name for name, value in wanted.items() if value and value != getattr(customer, name))
    return Planned(entry, Verdict.CHANGE if changes else Verdict.EQUAL, None, customer, changes)


def _wrong_by_itself(entry: Entry) -> Why | None:
    if entry.mobile and not is_mobile(entry.mobile):
        return Why.BAD_MOBILE
    if not entry.name:
        return Why.NOBODY
    if not entry.mobile and not entry.openid:
        return Why.NOTHING
    if len(entry.identifier) > LONGEST:
        return Why.TOO_LONG
    if entry.openid and (len(entry.openid) > LONGEST or not _OPENID.match(entry.openid) or is_mobile(entry.openid)):
        return Why.BAD_OPENID
    return Why.WAS_ERASED if entry.identifier.startswith(ERASED) else None


def _without_contradictions(planned: list[Planned]) -> list[Planned]:
    """Rows that contradict each other are all not done: nobody here can know which of them is right.

    A row that says nothing that earlier ones have not said changes nothing more.
    """
    about: dict[object, list[int]] = defaultdict(list)
    giving: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(planned):
        if one.verdict == Verdict.BAD:
            continue
        about[one.customer.pk if one.customer else one.entry.name].append(place)
        if one.entry.openid:
            giving[one.entry.openid].append(place)
    result = list(planned)
    for places in about.values():
        said: dict[str, set[str]] = {"mobile": set(), "openid": set()}
        for place in places:
            new = [name for name in said if (value := getattr(planned[place].entry, name)) and value not in said[name]]
            if not new:
                result[place] = replace(planned[place], verdict=Verdict.EQUAL, changes=())
            for name in new:
                said[name].add(getattr(planned[place].entry, name))
        if any(len(values) > 1 for values in said.values()):
            _refuse(result, places, Why.TWICE)
    for places in giving.values():
        if len({planned[place].customer or planned[place].entry.name for place in places}) > 1:
            _refuse(result, places, Why.OPENID_TWICE)
    return result


def _refuse(planned: list[Planned], places: list[int], why: Why) -> None:
    for place in places:
        other = places[1] if place == places[0] else places[0]
        planned[place] = replace(
            planned[place], verdict=Verdict.BAD, why=why, changes=(), other=planned[other].entry.number
        )
