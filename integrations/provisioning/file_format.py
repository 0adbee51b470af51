"""What a provisioning file may hold: one serializer for each section, its fields being the file's keys."""

from typing import Any

from rest_framework import serializers

from coupons.choices import Channel, Kind
from integrations.models.partners import Scope, WebhookEvent
from integrations.smart_coupon.fields import LONGEST_ID, LONGEST_IDENTIFIER
from merchants.checks import http_address

_MOST = 2_000_000_000  # what an integer column holds


def _text(longest: int, *, blank: bool = False, **options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=longest, allow_blank=blank, **options)


def _count(*, smallest: int = 0, null: bool = False, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=smallest, max_value=_MOST, allow_null=null, **options)


def _texts(longest: int) -> serializers.ListField:
    return serializers.ListField(child=_text(longest), required=False)


class Entry(serializers.Serializer[Any]):
    """One entry of a section. A key that is not known is an error: it is most likely misspelt."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown keys beside what the fields themselves refuse."""
        unknown = (
            {key: ["This key is not known."] for key in data if key not in self.fields}
            if isinstance(data, dict)
            else {}
        )
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
    app_secret = _text(500)
    transfer_method = _text(100, blank=True, required=False)
    max_requests_per_second = _count(required=False)
    max_concurrency = _count(smallest=1, required=False)
    timeout_seconds = _count(smallest=1, required=False)


class ShopEntry(Entry):
    """A shop of a merchant."""

    entity_id = _text(LONGEST_ID)
    name = _text(100)


class MerchantEntry(Entry):
    """A merchant with its shops."""

    merchant_id = _text(LONGEST_ID)
    name = _text(100)
    dfire_account = _text(100, required=False, allow_null=True)
    entity_id = _text(LONGEST_ID, blank=True, required=False)
    plate_entity_id = _text(LONGEST_ID, blank=True, required=False)
    appid = _text(64, blank=True, required=False)
    shops = serializers.ListField(child=serializers.DictField(), required=False)


class SmartCouponAccountEntry(Entry):
    """An account of the smart-coupon platform."""

    name = _text(100)
    token = _text(200)
    merchants = _texts(LONGEST_ID)
    developer_key = _text(500, blank=True, required=False)
    require_signature = serializers.BooleanField(required=False)
    allowed_addresses = _texts(50)
    repeat_window_seconds = _count(required=False)
    confirm_with_dfire = serializers.BooleanField(required=False)
    consume_base_url = _text(300, blank=True, required=False)
    app_id = _text(100, blank=True, required=False)
    app_secret = _text(500, blank=True, required=False)


class CustomerEntry(Entry):
    """A customer of a merchant."""

    merchant_id = _text(LONGEST_ID)
    identifier = _text(LONGEST_IDENTIFIER)
    mobile = _text(11, blank=True, required=False)
    openid = _text(128, blank=True, required=False)


class CouponTemplateEntry(Entry):
    """A coupon template; money in fen."""

    merchant_id = _text(LONGEST_ID)
    reference = _text(100)
    title = _text(100)
    notice = _text(1000, blank=True, required=False)
    kind = serializers.ChoiceField(choices=Kind.choices)
    amount_fen = _count(null=True, required=False)
    percent_paid = serializers.IntegerField(min_value=1, max_value=99, allow_null=True, required=False)
    min_spend_fen = _count(required=False)
    menu_ids = _texts(LONGEST_ID)
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    valid_days = _count(smallest=1, null=True, required=False)
    shop_entity_ids = _texts(LONGEST_ID)
    use_weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), required=False
    )
    use_times = _texts(20)
    use_dates = _texts(30)
    blackout_dates = _texts(30)
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.choices), required=False)
    stock = _count(null=True, required=False)
    per_person_limit = _count(smallest=1, null=True, required=False)
    per_person_daily_limit = _count(smallest=1, null=True, required=False)
    publish = serializers.BooleanField(required=False)


class WebhookEntry(Entry):
    """An address of a partner app that wants to be told of events."""

    url = _text(500, validators=[http_address])
    secret = _text(500)
    events = serializers.ListField(child=serializers.ChoiceField(choices=WebhookEvent.choices))


class PartnerAppEntry(Entry):
    """A partner app with a key and its webhooks."""

    name = _text(100)
    api_key = _text(200, required=False)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices), required=False)
    merchants = _texts(LONGEST_ID)
    webhooks = serializers.ListField(child=serializers.DictField(), required=False)
