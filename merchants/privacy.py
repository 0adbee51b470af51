"""What counts as a person's name in a text, and how it is taken out: the one place that decides it.

A name is whatever tells who a customer is: the identifier, the mobile number, the openid. Texts that are kept for good
(history, reasons, what dfire said) go through here before they are stored.
"""

import re
from collections.abc import Iterable

from merchants.mobiles import MOBILE_IN_TEXT
from merchants.models.customer import Customer

HIDDEN = "***"


def names_of(customer: Customer) -> set[str]:
    """What tells who the customer is. Of one who is being erased, what is still to be found; then nothing."""
    if customer.erased_at is not None:
        return customer.erasure.names_left()
    return {customer.identifier, customer.mobile, customer.openid} - {""}


def without_names(text: str, names: Iterable[str]) -> str:
    """The text without these names and without any mobile number.

    A name counts as a whole word only: a member who is called 12 takes nothing from 2012.
    """
    pattern = _as_words(name for name in names if name in text)  # seldom any: a batch cleans the same reason for each
    return MOBILE_IN_TEXT.sub(HIDDEN, pattern.sub(HIDDEN, text) if pattern else text)


def mentions(text: str, names: Iterable[str]) -> bool:
    """Whether one of the names stands in the text, as a whole word."""
    pattern = _as_words(name for name in names if name in text)
    return pattern is not None and pattern.search(text) is not None


def _as_words(names: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted({name for name in names if name}, key=len, reverse=True)
    if not longest_first:
        return None
    return re.compile(rf"(?<![0-9A-Za-z_-])(?:{'|'.join(map(re.escape, longest_first))})(?![0-9A-Za-z_-])")
