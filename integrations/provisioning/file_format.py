"""What a provisioning file may hold: one serializer for each section, its fields being the file's keys."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from coupons.choices import Channel, Kind
from integrations.models.partners import Scope, WebhookEvent
from integrations.smart_coupon.fields import FIRST_YEAR, LAST_YEAR, LONGEST_ID, LONGEST_IDENTIFIER
from integrations.strict_json import shown
from integrations.webhooks.signing import signing_secret
from integrations.webhooks.targets import webhook_address
from merchants.checks import http_address

_MOST = 2_000_000_000  # what an integer column holds
_MOST_FEN = 10**14  # a trillion yuan
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class Text(serializers.CharField):
    """A JSON text and nothing else."""

    def to_internal_value(self, data: Any) -> str:
        """DRF by itself would take a number."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Whole(serializers.IntegerField):
    """A whole JSON number, 10 and 10.0 alike."""

    def to_internal_value(self, data: Any) -> int:
        """DRF by itself would take a text."""
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        return int(super().to_internal_value(str(data)))


class Switch(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        """DRF by itself would take "yes", "off", 1 and many more."""
        if not isinstance(data, bool):
            self.fail("invalid", input=type(data).__name__)
        return data


class Day(serializers.DateField):
    """A date written 2026-12-31, in years in which days can still be added to it."""

    def to_internal_value(self, value: Any) -> date:
        """DRF by itself would take 20261231, 2026-1-1 and other alphabets' digits."""
        if not isinstance(value, str) or not _DATE.match(value):
            self.fail("invalid", format="YYYY-MM-DD")
        parsed: date = super().to_internal_value(value)
        if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
            raise serializers.ValidationError(f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}.")
        return parsed


class OneOf(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: Any) -> str:
        """DRF by itself would repeat in its message whatever was given."""
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(f"Choose one of: {', '.join(map(str, self.choices))}.")
        return data


def _text(longest: int, *, blank: bool = False, **options: Any) -> Text:
    return Text(max_length=longest, allow_blank=blank, **options)


def _secret(longest: int, *, blank: bool = False, **options: Any) -> Text:
    return _text(longest, blank=blank, trim_whitespace=False, **options)


def _id(longest: int, *, blank: bool = False, **options: Any) -> serializers.CharField:
    """An id: a text, or a whole number, which is treated as its digits."""
    return serializers.CharField(max_length=longest, allow_blank=blank, **options)


def _count(*, smallest: int = 0, most: int = _MOST, null: bool = False, **options: Any) -> Whole:
    return Whole(min_value=smallest, max_value=most, allow_null=null, **options)


def _list(child: serializers.Field[Any, Any, Any, Any], **options: Any) -> serializers.ListField:
    return serializers.ListField(child=child, **{"required": False, **options})


class Entry(serializers.Serializer[Any]):
    """One entry of a section. A key that is not known is an error: it is most likely misspelt."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown keys beside what the fields themselves refuse."""
        keys = data if isinstance(data, dict) else {}
        unknown = {shown(key): ["This key is not known."] for key in keys if key not in self.fields}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **unknown}) from None  # type: ignore[dict-item]
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


class DfireAccountEntry(Entry):
    """An account at dfire."""

    name = _text(100)
    base_url = _text(300, validators=[http_address])
    app_key = _text(100)
    app_secret = _secret(500)
    transfer_method = _text(100, blank=True, required=False)
    max_requests_per_second = _count(required=False)
    max_concurrency = _count(smallest=1, required=False)
    timeout_seconds = _count(smallest=1, required=False)


class ShopEntry(Entry):
    """A shop of a merchant."""

    entity_id = _id(LONGEST_ID)
    name = _text(100)


class MerchantEntry(Entry):
    """A merchant with its shops."""

    merchant_id = _id(LONGEST_ID)
    name = _text(100)
    dfire_account = _text(100, required=False, allow_null=True)
    entity_id = _id(LONGEST_ID, blank=True, required=False)
    plate_entity_id = _id(LONGEST_ID, blank=True, required=False)
    appid = _text(64, blank=True, required=False)
    shops = serializers.ListField(required=False)  # each is read by itself


class SmartCouponAccountEntry(Entry):
    """An account of the smart-coupon platform."""

    name = _text(100)
    token = _text(200)
    merchants = _list(_id(LONGEST_ID))
    developer_key = _secret(500, blank=True, required=False)
    require_signature = Switch(required=False)
    allowed_addresses = _list(_text(50))
    repeat_window_seconds = _count(required=False)
    confirm_with_dfire = Switch(required=False)
    consume_base_url = _text(300, blank=True, required=False)
    app_id = _text(100, blank=True, required=False)
    app_secret = _secret(500, blank=True, required=False)


class CustomerEntry(Entry):
    """A customer of a merchant."""

    merchant_id = _id(LONGEST_ID)
    identifier = _id(LONGEST_IDENTIFIER)
    mobile = _id(11, blank=True, required=False)
    openid = _text(128, blank=True, required=False)


class CouponTemplateEntry(Entry):
    """A coupon template; money in fen."""

    merchant_id = _id(LONGEST_ID)
    reference = _text(100)
    title = _text(100)
    notice = _text(1000, blank=True, required=False)
    kind = OneOf(choices=Kind.choices)
    amount_fen = _count(null=True, required=False)
    percent_paid = _count(smallest=1, most=99, null=True, required=False)
    min_spend_fen = _count(required=False)
    menu_ids = _list(_id(LONGEST_ID))
    start_date = Day()
    end_date = Day()
    valid_days = _count(smallest=1, null=True, required=False)
    shop_entity_ids = _list(_id(LONGEST_ID))
    use_weekdays = _list(_count(smallest=1, most=7))
    use_times = _list(_text(20))
    use_dates = _list(_text(30))
    blackout_dates = _list(_text(30))
    channels = _list(OneOf(choices=Channel.choices))
    stock = _count(null=True, required=False)
    per_person_limit = _count(smallest=1, null=True, required=False)
    per_person_daily_limit = _count(smallest=1, null=True, required=False)
    budget_fen = _count(most=_MOST_FEN, null=True, required=False)
    cost_each_fen = _count(null=True, required=False)
    publish = Switch(required=False)


class WebhookEntry(Entry):
    """An address of a partner app that wants to be told of events."""

    url = _text(500, validators=[webhook_address])
    secret = _secret(500, validators=[signing_secret])
    events = _list(OneOf(choices=WebhookEvent.choices), required=True)


class PartnerAppEntry(Entry):
    """A partner app with a key and its webhooks."""

    name = _text(100)
    api_key = _secret(200, required=False)
    scopes = _list(OneOf(choices=Scope.choices))
    merchants = _list(_id(LONGEST_ID))
    webhooks = serializers.ListField(required=False)  # each is read by itself
