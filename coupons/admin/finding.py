"""Finding coupons and customers by what staff have at hand, each kind of name by its own index.

What is pasted out of Excel, a chat or a receipt comes with blanks, line ends, full-width digits or an apostrophe in
front; what it means is read here once.
"""

import re
import unicodedata

from django.db.models import Q
from django.http import HttpRequest

from coupons.codes import CODE_DIGITS
from coupons.models import IssuedCoupon
from merchants.erasing import of_names
from merchants.models import Customer
from merchants.models.customer import is_mobile
from merchants.scopes import visible_merchants

_MOST = 500
_MOST_CODES = 100
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_BETWEEN = re.compile(r"[-.,;'\"`·、，；_]")
_SHORTENED = re.compile(r"\d(\.\d+)?[eE]\+?\d+\Z")


def tidy(term: str) -> str:
    """What was typed or pasted, without what cannot be seen around it and with ordinary digits."""
    return _UNSEEN.sub(" ", unicodedata.normalize("NFKC", term)).strip(" '")


def digits_of(term: str) -> str:
    """The digits of a code or a number that is written in groups; nothing if it holds anything else."""
    together = _BETWEEN.sub("", term.replace(" ", "")).removeprefix("+")
    return together if together.isascii() and together.isdigit() else ""


def is_shortened(term: str) -> bool:
    """Whether a spreadsheet has made 6.21E+15 of a code, which has lost its digits."""
    return _SHORTENED.match(tidy(term)) is not None


def coupons_named(request: HttpRequest, term: str) -> Q:
    """The condition that coupons meet which are named by a code, several, the beginning of one, or by their customer.

    The customer's keys are looked up first, within the user's merchants: the database gets conditions that an index
    answers each.
    """
    term = tidy(term)
    digits = digits_of(term)
    if digits and len(digits) % CODE_DIGITS == 0:
        codes = [digits[start : start + CODE_DIGITS] for start in range(0, len(digits), CODE_DIGITS)]
        by_code = IssuedCoupon.objects.filter(code__in=codes[:_MOST_CODES])
        holders = customers_named(request, term) if len(codes) == 1 else []
        return Q(pk__in=list(by_code.order_by().values_list("pk", flat=True))) | Q(customer__in=holders)
    holders = customers_named(request, term)
    if digits and len(digits) < CODE_DIGITS and not holders:
        return Q(code__range=(digits.ljust(CODE_DIGITS, "0"), digits.ljust(CODE_DIGITS, "9")))
    return Q(customer__in=holders)


def customers_named(request: HttpRequest, name: str) -> list[int]:
    """The keys of the user's merchants' customers who have this identifier, openid or mobile number, at most 500.

    One who had it and has been erased is found too, by its hash: who asks again is recognised.
    """
    number = digits_of(tidy(name))
    number = number.removeprefix("86") if len(number) == 13 else number
    names = list({name.strip(), tidy(name), *([number] if is_mobile(number) else [])})
    own = Customer.objects.filter(merchant__in=list(visible_merchants(request.user).values_list("pk", flat=True)))
    named = [own.filter(identifier__in=names), own.filter(openid__in=names)]
    named.append(own.filter(pk__in=of_names(names).order_by().values("customer")))
    if is_mobile(number):
        named.append(own.filter(mobile=number))
    return sorted({pk for found in named for pk in found.order_by().values_list("pk", flat=True)[:_MOST]})
