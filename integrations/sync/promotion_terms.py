"""Our terms in dfire's words (seed 003 §4). Limits sent to dfire are generous, because ours are kept here."""

from datetime import date, timedelta

from coupons.choices import Kind
from coupons.models import TemplateVersion
from coupons.terms import Terms
from integrations.dfire import Channel, Discount, PromotionTerms, SalePrice, SaveMoney
from integrations.dfire.terms import DISH, WHOLE_BILL
from merchants.models import Merchant

UNLIMITED_TOTAL = 9_999_999  # what a till is told where we have no limit
STOCK_MARGIN = 1000  # transfers and reissues use up dfire's count, not ours
PER_PERSON = 100  # dfire's own default


def promotion_terms(version: TemplateVersion, merchant: Merchant) -> PromotionTerms:
    """The version as `save.promotion` sends it.

    Raises:
        ValueError: something dfire does not take; it names the field.
    """
    terms = version.terms
    limits = version.template
    per_person = max(PER_PERSON, limits.per_person_limit or 0, limits.per_person_daily_limit or 0)
    return PromotionTerms(
        promotion_id=version.promotion_id,
        promotion_type=DISH if terms.kind_choice.is_dish else WHOLE_BILL,
        appid=merchant.appid,
        entity_id=merchant.entity_id,
        plate_entity_id=merchant.plate_entity_id,
        title=terms.title,
        start_date=terms.start_date,
        end_date=last_day_of_use(terms),
        mode=_mode(terms),
        total_num=UNLIMITED_TOTAL if limits.stock is None else limits.stock + STOCK_MARGIN,
        blackout_ranges=tuple((dates.first, dates.last) for dates in terms.blackout_ranges),
        usable_ranges=tuple((dates.first, dates.last) for dates in terms.date_ranges),
        weekdays=terms.use_weekdays,
        time_windows=tuple((hours.first, hours.last) for hours in terms.time_ranges),
        shop_entity_ids=terms.shop_entity_ids,
        min_pay_fen=terms.min_spend_fen,
        per_person_limit=per_person,
        per_person_daily_limit=per_person,
        menu_ids=terms.menu_ids,
        valid_days=terms.valid_days,
        channels=tuple(Channel(channel) for channel in terms.channels),
    )


def last_day_of_use(terms: Terms) -> date:
    """The last day on which a till must honour the promotion: that of a coupon received on the end date."""
    if terms.valid_days is None:
        return terms.end_date
    return terms.end_date + timedelta(days=terms.valid_days - 1)


def _mode(terms: Terms) -> Discount | SaveMoney | SalePrice:
    if terms.kind_choice.is_discount:
        return Discount(terms.percent_paid or 0)
    if terms.kind_choice is Kind.DISH_PRICE:
        return SalePrice(terms.amount_fen or 0)
    return SaveMoney(terms.amount_fen or 0)
