"""What answers hold, by field: the forms of `partner_api.shapes` as the schema shows them. A test compares the two."""

from typing import Any

from rest_framework import serializers

from coupons.choices import Channel, CouponStatus, Delivery, Kind, TemplateStatus, Weekday
from coupons.codes import CODE_DIGITS
from coupons.errors import Reason
from coupons.rules.verdicts import RuleName, Verdict

CODE = f"^[0-9]{{{CODE_DIGITS}}}$"
# Why a coupon cannot be used; the rules of `coupons.rules` give these and no others.
WHY_NOT = tuple(
    (reason.value, reason.label)
    for reason in (
        Reason.REDEEMING, Reason.REDEEMED, Reason.REVOKED, Reason.EXPIRED, Reason.NOT_DELIVERED, Reason.NOT_YET_VALID,
        Reason.WRONG_WEEKDAY, Reason.OUTSIDE_HOURS, Reason.NOT_ON_THIS_DATE, Reason.EXCLUDED_DATE, Reason.WRONG_SHOP,
        Reason.WRONG_CHANNEL, Reason.BELOW_MINIMUM,
    )
)  # fmt: skip


class Answer(serializers.Serializer[Any]):
    """A form in which answers come. Further fields may be added to it; those that are there stay."""


class CouponTemplate(Answer):
    """What a merchant gives out, with its terms."""

    coupon_id = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    merchant_id = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    amount_fen = serializers.IntegerField(allow_null=True, min_value=0)
    percent_paid = serializers.IntegerField(allow_null=True, min_value=1, max_value=99)
    min_spend_fen = serializers.IntegerField(min_value=0)
    menu_ids = serializers.ListField(child=serializers.CharField())
    shop_entity_ids = serializers.ListField(child=serializers.CharField())
    use_weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=min(Weekday.values), max_value=max(Weekday.values))
    )
    use_times = serializers.ListField(child=serializers.CharField())
    use_dates = serializers.ListField(child=serializers.CharField())
    blackout_dates = serializers.ListField(child=serializers.CharField())
    channels = serializers.ListField(child=serializers.ChoiceField(Channel.choices))
    per_person_limit = serializers.IntegerField(allow_null=True, min_value=0)
    per_person_daily_limit = serializers.IntegerField(allow_null=True, min_value=0)
    valid_days = serializers.IntegerField(allow_null=True, min_value=1)
    notice = serializers.CharField(allow_blank=True)
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    status = serializers.ChoiceField(TemplateStatus.choices)
    stock = serializers.IntegerField(allow_null=True, min_value=0)
    stock_left = serializers.IntegerField(allow_null=True, min_value=0)


class Coupon(Answer):
    """An issued coupon."""

    code = serializers.RegexField(CODE)
    coupon_id = serializers.CharField()
    merchant_id = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(CouponStatus.choices)
    delivery = serializers.ChoiceField(Delivery.choices)
    identifier = serializers.CharField(allow_null=True)
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField()
    issued_at = serializers.DateTimeField()
    redeemed_at = serializers.DateTimeField(allow_null=True)


class Why(Answer):
    """A reason why the coupon cannot be used."""

    code = serializers.ChoiceField(WHY_NOT)
    message = serializers.CharField()


class Rule(Answer):
    """What one rule says."""

    rule = serializers.ChoiceField(RuleName.choices)
    verdict = serializers.ChoiceField(Verdict.choices)
    code = serializers.ChoiceField(WHY_NOT, allow_null=True)
    message = serializers.CharField()


class Judgement(Answer):
    """Whether a coupon can be used as asked, rule by rule."""

    usable = serializers.BooleanField()
    reasons = Why(many=True)
    rules = Rule(many=True)
    next_usable_at = serializers.DateTimeField(allow_null=True)


class Customer(Answer):
    """A customer of a merchant."""

    identifier = serializers.CharField()
    merchant_id = serializers.CharField()
    mobile = serializers.CharField(allow_blank=True)
    openid = serializers.CharField(allow_blank=True)


class Page(Answer):
    """Some rows of a list, and where it goes on."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class CouponTemplatePage(Page):
    """A page of templates, newest first."""

    results = CouponTemplate(many=True)


class CouponPage(Page):
    """A page of coupons, newest first."""

    results = Coupon(many=True)
