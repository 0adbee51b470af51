"""What calls may say: one serializer a call, strict about kinds, names and times; what is wrong is named by field."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from coupons.choices import Channel, CouponStatus, TemplateStatus
from coupons.validation import SENSIBLE_YEARS
from integrations.partner_api.errors import ApiCode, invalid
from merchants.clock import local_day
from merchants.models.customer import ERASED, is_mobile

LONGEST_ID = 64
LONGEST_NAME = 128  # of a customer: identifier and openid
LONGEST_REASON = 200
LONGEST_CURSOR = 200
LONGEST_PAGE = 200  # rows
LARGEST_FEN = 10**12
NAMES = ("identifier", "mobile", "openid")
_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})\Z", re.ASCII)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


class Text(serializers.CharField):
    """A text, or a whole number, which is treated as its digits."""

    def to_internal_value(self, data: Any) -> str:
        """As DRF, without taking fractions for texts."""
        if isinstance(data, bool) or not isinstance(data, str | int):
            self.fail("invalid")
        text = str(super().to_internal_value(str(data)))
        if _UNSTORABLE.search(text):
            self.fail("invalid")
        return text


class Name(Text):
    """What a customer is called: printable, and not what an erased one is called."""

    def to_internal_value(self, data: Any) -> str:
        """The name."""
        name = super().to_internal_value(data)
        if not name.isprintable() or name.startswith(ERASED):
            self.fail("invalid")
        return name


class Mobile(Text):
    """A mainland mobile number."""

    def to_internal_value(self, data: Any) -> str:
        """Its eleven digits."""
        mobile = super().to_internal_value(data)
        if not is_mobile(mobile):
            raise ValidationError(_("A mobile number has 11 digits and starts with 1."), ApiCode.INVALID.code)
        return mobile


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

    default_error_messages = {"invalid": _("Write a time as 2026-12-31T23:59:59+08:00, with its offset.")}

    def to_internal_value(self, data: Any) -> datetime:
        """The aware moment."""
        try:
            moment = parse_datetime(data) if isinstance(data, str) and _TIME.match(data) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or moment.year not in SENSIBLE_YEARS:
            self.fail("invalid")
        return moment


class Strict(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a slip in a name would else go unnoticed."""

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


class IssueCall(Strict):
    """`POST coupons/`."""

    merchant_id = Text(max_length=LONGEST_ID)
    coupon_id = Text(max_length=LONGEST_ID)
    identifier = Name(max_length=LONGEST_NAME, required=False)
    mobile = Mobile(required=False)
    openid = Name(max_length=LONGEST_NAME, required=False)
    expiration_time = Moment(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One customer, named in one way."""
        return _one_of(NAMES, attrs)


class CheckCall(Strict):
    """`POST coupons/{code}/check/`; what is not said is not asked."""

    shop_entity_id = Text(max_length=LONGEST_ID, required=False, allow_null=True)
    amount_fen = Fen(min_value=0, max_value=LARGEST_FEN, required=False, allow_null=True)
    at = Moment(required=False, allow_null=True)
    channel = serializers.ChoiceField(Channel.choices, required=False, allow_null=True)


class OrderId(Text):
    """A partner's own name of an order: printable, and the same order whatever blanks surround it."""

    def to_internal_value(self, data: Any) -> str:
        """The id."""
        order_id = super().to_internal_value(data)
        if not order_id.isprintable():
            self.fail("invalid")
        return order_id


class Day(serializers.Field[date, Any, str, Any]):
    """A Shanghai day, not later than tomorrow, in case the caller's clock is a little ahead."""

    default_error_messages = {
        "invalid": _("Write a day as 2026-12-31."),
        "max_value": _("This day lies in the future."),
    }

    def to_internal_value(self, data: Any) -> date:
        """The day."""
        try:
            day = parse_date(data) if isinstance(data, str) and _DAY.match(data) else None
        except ValueError:
            day = None
        if day is None or day.year not in SENSIBLE_YEARS:
            self.fail("invalid")
        if day > local_day(timezone.now()) + timedelta(days=1):
            self.fail("max_value")
        return day


class RedeemCall(Strict):
    """`POST coupons/{code}/redeem/`."""

    order_id = OrderId(max_length=LONGEST_ID)
    order_date = Day(required=False, allow_null=True)
    paid_fen = Fen(min_value=0, max_value=LARGEST_FEN)
    saved_fen = Fen(min_value=0, max_value=LARGEST_FEN)
    shop_entity_id = Text(max_length=LONGEST_ID, required=False, allow_null=True)


class TransferCall(Strict):
    """`POST coupons/{code}/transfer/`."""

    to_identifier = Name(max_length=LONGEST_NAME, required=False)
    to_openid = Name(max_length=LONGEST_NAME, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One receiver, named in one way."""
        return _one_of(("to_identifier", "to_openid"), attrs)


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
    cursor = Text(max_length=LONGEST_CURSOR, required=False, allow_blank=True)
    limit = Count(min_value=1, max_value=LONGEST_PAGE, required=False)


class CouponsQuery(Strict):
    """`GET coupons/?…`."""

    merchant_id = Text(max_length=LONGEST_ID, required=False)
    identifier = Name(max_length=LONGEST_NAME, required=False)
    status = serializers.ChoiceField(CouponStatus.choices, required=False)
    cursor = Text(max_length=LONGEST_CURSOR, required=False, allow_blank=True)
    limit = Count(min_value=1, max_value=LONGEST_PAGE, required=False)


def read(call: type[Strict], said: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a call.

    Raises:
        ValidationError: naming every field that is wrong.
    """
    serializer = call(data=dict(said))
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _one_of(names: Sequence[str], said: dict[str, Any]) -> dict[str, Any]:
    """What is said, if it names exactly one of these."""
    given = [name for name in names if name in said]
    if len(given) != 1:
        words = gettext("Give exactly one of: %(names)s.") % {"names": ", ".join(names)}
        raise invalid(given[1] if given else names[0], ApiCode.EXACTLY_ONE, words)
    return said
