"""The kinds of values that calls take, each strict, and each saying by `pattern` what the schema shows."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from coupons.validation import SENSIBLE_YEARS
from integrations.partner_api.errors import ApiCode
from merchants.models.customer import ERASED, MOBILE

CURSOR = "[np][0-9]{1,18}"  # the next or the previous page, and the id behind which it begins
_YEARS = "2[01][0-9]{2}"  # coupons.validation.SENSIBLE_YEARS
_DATE = _YEARS + "-[0-9]{2}-[0-9]{2}"
_HOUR = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_OFFSET = "(Z|[+-][0-9]{2}:?[0-9]{2})"
_TIME = re.compile(f"{_DATE}[T ]{_HOUR}{_OFFSET}")
_MOST_DIGITS = 20
_BEYOND = Decimal(10**_MOST_DIGITS)
_SURROGATE = re.compile("[\\ud800-\\udfff]")
# What no text may hold, and no line: written so that Python, JavaScript and JSON Schema read it alike.
_IN_NO_TEXT = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff"
_IN_NO_LINE = r"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"


class Text(serializers.CharField):
    """A text that `pattern` describes, as it is sent: length and form are judged before blanks around it are removed.

    The schema shows the same pattern and length, so that what it allows is accepted and what it forbids refused.
    """

    pattern = rf"(?!\s*$)[^{_IN_NO_TEXT}]+"
    otherwise = "invalid"

    def to_internal_value(self, data: Any) -> str:
        """As DRF, without taking numbers for texts."""
        if not isinstance(data, str) or _SURROGATE.search(data):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        if re.fullmatch(self.pattern, data) is None:
            self.fail(self.otherwise)
        return str(super().to_internal_value(data))


class Line(Text):
    """A text of one line with nothing invisible in it."""

    pattern = rf"(?!\s*$)[^{_IN_NO_LINE}]+"


class Name(Text):
    """What a customer is called: one line, and not what an erased one is called."""

    pattern = rf"(?!\s*($|{ERASED}))[^{_IN_NO_LINE}]+"


class Mobile(Text):
    """A mainland mobile number."""

    pattern = MOBILE.pattern.removesuffix(r"\Z")
    default_error_messages = {"invalid": _("A mobile number has 11 digits and starts with 1.")}


class PageCursor(Text):
    """The place in a list at which a page begins, as `next` and `previous` of another page have it."""

    pattern = CURSOR
    otherwise = ApiCode.INVALID_CURSOR.code
    default_error_messages = {ApiCode.INVALID_CURSOR.code: _("This is not the cursor of a page.")}


class Fen(serializers.IntegerField):
    """Money in integer fen, as a JSON number without a fraction (to JSON, 5.0 is 5 written otherwise); never a text."""

    def to_internal_value(self, data: Any) -> int:
        """The number, exactly; what is beyond every bound comes back as large as that."""
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        if isinstance(data, Decimal):
            if data.is_finite() and data.adjusted() < _MOST_DIGITS and data != data.to_integral_value():
                self.fail("invalid")
            data = max(min(data, _BEYOND), -_BEYOND)
        return int(data)


class Count(serializers.IntegerField):
    """A small whole number in a query."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if not (data.isascii() and data.isdigit() and len(data) < 10):
            self.fail("invalid")
        return int(data)


class Moment(serializers.Field[datetime, Any, str, Any]):
    """A time in ISO 8601 with its offset, so that nobody has to guess whose midnight is meant."""

    pattern = f"{_YEARS}-"  # how it begins; the rest is the format date-time
    default_error_messages = {"invalid": _("Write a time as 2026-12-31T23:59:59+08:00, with its offset.")}

    def to_internal_value(self, data: Any) -> datetime:
        """The aware moment, in UTC: PostgreSQL knows no offset of 16 hours and more, which ISO 8601 allows."""
        try:
            moment = parse_datetime(data) if isinstance(data, str) and _TIME.fullmatch(data) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail("invalid")
        moment = moment.astimezone(UTC)
        if moment.year not in SENSIBLE_YEARS:  # by its offset it lies in the year after the last, or before the first
            self.fail("invalid")
        return moment


class Day(serializers.Field[date, Any, str, Any]):
    """A day of Shanghai's."""

    pattern = f"{_YEARS}-"  # how it begins; the rest is the format date
    default_error_messages = {"invalid": _("Write a day as 2026-12-31.")}

    def to_internal_value(self, data: Any) -> date:
        """The day."""
        try:
            day = parse_date(data) if isinstance(data, str) and re.fullmatch(_DATE, data) else None
        except ValueError:
            day = None
        if day is None:
            self.fail("invalid")
        return day
