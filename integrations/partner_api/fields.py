"""What calls may say: one serializer a call, strict about kinds, names and times; what is wrong is named by field."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from coupons.choices import Channel, CouponStatus, TemplateStatus
from integrations.partner_api.errors import ApiCode, invalid
from merchants.models.customer import ERASED, MOBILE

LONGEST_ID = 64
LONGEST_NAME = 128  # of a customer: identifier and openid
LONGEST_REASON = 200
LONGEST_PAGE = 200  # rows
LARGEST_FEN = 10**12
NAMES = ("identifier", "mobile", "openid")
CURSOR = "[np][0-9]{1,18}"  # the next or the previous page, and the id behind which it begins
_YEARS = "2[01][0-9]{2}"  # coupons.validation.SENSIBLE_YEARS
_DAY = "-[0-9]{2}-[0-9]{2}"
_HOUR = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_OFFSET = "(Z|[+-][0-9]{2}:?[0-9]{2})"
_TIME = re.compile(f"{_YEARS}{_DAY}[T ]{_HOUR}{_OFFSET}")
_SURROGATE = re.compile("[\\ud800-\\udfff]")
# What no text may hold, and no name: written so that Python, JavaScript and JSON Schema read it alike.
_IN_NO_TEXT = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff"
_IN_NO_NAME = r"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"


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


class Name(Text):
    """What a customer is called: one line, nothing invisible in it, and not what an erased one is called."""

    pattern = rf"(?!\s*($|{ERASED}))[^{_IN_NO_NAME}]+"


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
    """Money in integer fen, as a JSON integer: neither a text nor a fraction."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
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
        """The aware moment."""
        try:
            moment = parse_datetime(data) if isinstance(data, str) and _TIME.fullmatch(data) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail("invalid")
        return moment


class Strict(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a slip in a name would else go unnoticed.

    Of those in `one_of`, exactly one must be given.
    """

    one_of: tuple[str, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        """As DRF; what is not known is named beside what else is wrong."""
        words = gettext("There is no such field.")
        errors = {name: [ErrorDetail(words, ApiCode.UNKNOWN_FIELD.code)] for name in data if name not in self.fields}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**dict(error.detail), **errors}) from None  # type: ignore[arg-type]
        if errors:
            raise ValidationError(errors)
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One customer, named in one way."""
        given = [name for name in self.one_of if name in attrs]
        if self.one_of and len(given) != 1:
            words = gettext("Give exactly one of: %(names)s.") % {"names": ", ".join(self.one_of)}
            raise invalid(given[1] if given else self.one_of[0], ApiCode.EXACTLY_ONE, words)
        return attrs


class IssueCall(Strict):
    """`POST coupons/`."""

    one_of = NAMES
    merchant_id = Text(max_length=LONGEST_ID)
    coupon_id = Text(max_length=LONGEST_ID)
    identifier = Name(max_length=LONGEST_NAME, required=False)
    mobile = Mobile(required=False)
    openid = Name(max_length=LONGEST_NAME, required=False)
    expiration_time = Moment(required=False)


class CheckCall(Strict):
    """`POST coupons/{code}/check/`; what is not said is not asked."""

    shop_entity_id = Text(max_length=LONGEST_ID, required=False, allow_null=True)
    amount_fen = Fen(min_value=0, max_value=LARGEST_FEN, required=False, allow_null=True)
    at = Moment(required=False, allow_null=True)
    channel = serializers.ChoiceField(Channel.choices, required=False, allow_null=True)


class TransferCall(Strict):
    """`POST coupons/{code}/transfer/`."""

    one_of = ("to_identifier", "to_openid")
    to_identifier = Name(max_length=LONGEST_NAME, required=False)
    to_openid = Name(max_length=LONGEST_NAME, required=False)


class RevokeCall(Strict):
    """`POST coupons/{code}/revoke/`."""

    reason = Text(max_length=LONGEST_REASON)


class CustomerCall(Strict):
    """`PUT customers/{identifier}/`."""

    merchant_id = Text(max_length=LONGEST_ID)
    mobile = Mobile(required=False)
    openid = Name(max_length=LONGEST_NAME, required=False)


class TemplatesQuery(Strict):
    """`GET coupon-templates/?…`."""

    merchant_id = Text(max_length=LONGEST_ID, required=False)
    status = serializers.ChoiceField(TemplateStatus.choices, required=False)
    cursor = PageCursor(required=False)
    limit = Count(min_value=1, max_value=LONGEST_PAGE, required=False)


class CouponsQuery(Strict):
    """`GET coupons/?…`."""

    merchant_id = Text(max_length=LONGEST_ID, required=False)
    identifier = Name(max_length=LONGEST_NAME, required=False)
    status = serializers.ChoiceField(CouponStatus.choices, required=False)
    cursor = PageCursor(required=False)
    limit = Count(min_value=1, max_value=LONGEST_PAGE, required=False)


def read(call: type[Strict], said: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a call.

    Raises:
        ValidationError: naming every field that is wrong.
    """
    serializer = call(data=dict(said))
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def read_query(call: type[Strict], asked: QueryDict) -> dict[str, Any]:
    """The filters of a call, each given once.

    Raises:
        ValidationError: naming every filter that is wrong.
    """
    twice = [name for name, values in asked.lists() if len(values) > 1]
    if twice:
        raise ValidationError({name: [ErrorDetail(gettext("Give it once."), ApiCode.INVALID.code)] for name in twice})
    return read(call, asked.dict())
