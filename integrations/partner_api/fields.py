"""What calls may say: one serializer a call; what is wrong is named by field."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from coupons.choices import Channel, CouponStatus, TemplateStatus
from integrations.partner_api.errors import ApiCode, invalid
from integrations.partner_api.values import Count, Day, Fen, Line, Mobile, Moment, Name, PageCursor, Text

LONGEST_ID = 64
LONGEST_NAME = 128  # of a customer: identifier and openid
LONGEST_REASON = 200
LONGEST_PAGE = 200  # rows
LARGEST_FEN = 10**12
NAMES = ("identifier", "mobile", "openid")


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


class RedeemCall(Strict):
    """`POST coupons/{code}/redeem/`."""

    order_id = Line(max_length=LONGEST_ID)
    order_date = Day(required=False, allow_null=True)
    paid_fen = Fen(min_value=0, max_value=LARGEST_FEN)
    saved_fen = Fen(min_value=0, max_value=LARGEST_FEN)
    shop_entity_id = Text(max_length=LONGEST_ID, required=False, allow_null=True)


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
