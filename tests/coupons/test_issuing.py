"""The one door through which coupons are given out."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from coupons import issuing, templates
from coupons.choices import CouponStatus
from coupons.errors import Reason, Refused
from coupons.issuing import validity
from coupons.models import CouponTemplate, IssuedCoupon
from merchants.clock import SHANGHAI, local_day
from merchants.models import Customer
from tests.factories import STAFF, CouponTemplateFactory, CustomerFactory, MerchantFactory, issued, published

pytestmark = pytest.mark.django_db


def refusal(template: CouponTemplate, customer: Customer | None = None) -> Reason:
    with pytest.raises(Refused) as refused:
        issued(template, customer)
    return refused.value.reason


def test_a_coupon_has_sixteen_digits_and_the_terms_in_force() -> None:
    coupon = issued(published(title="立减十元"))
    assert len(coupon.code) == 16
    assert coupon.code.isdigit()
    assert coupon.version.terms.title == "立减十元"


def test_a_draft_a_paused_and_an_ended_template_issue_nothing() -> None:
    draft = CouponTemplateFactory()
    assert refusal(draft) is Reason.TEMPLATE_NOT_PUBLISHED
    template = published()
    templates.pause(template)
    assert refusal(template) is Reason.TEMPLATE_NOT_PUBLISHED
    templates.publish(template)
    assert issued(template).status == CouponStatus.ISSUED
    templates.end(template)
    assert refusal(template) is Reason.TEMPLATE_NOT_PUBLISHED


def test_after_the_end_date_nothing_is_issued() -> None:
    yesterday = local_day(timezone.now()) - timedelta(days=1)
    template = published(start_date=yesterday, end_date=yesterday)
    assert refusal(template) is Reason.TEMPLATE_OVER


def test_the_stock_is_never_exceeded() -> None:
    template = published(stock=2)
    issued(template)
    issued(template)
    assert refusal(template) is Reason.OUT_OF_STOCK
    assert IssuedCoupon.objects.filter(template=template).count() == 2


def test_one_person_gets_no_more_than_the_limit_and_another_person_does() -> None:
    template = published(per_person_limit=1)
    customer = CustomerFactory(merchant=template.merchant)
    issued(template, customer)
    assert refusal(template, customer) is Reason.PERSON_LIMIT
    issued(template)


def test_a_revoked_coupon_does_not_count_against_its_person() -> None:
    from coupons import lifecycle

    template = published(per_person_limit=1)
    customer = CustomerFactory(merchant=template.merchant)
    coupon = issued(template, customer)
    lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="", actor="staff:test")
    issued(template, customer)


def test_the_daily_limit_is_of_the_day_in_shanghai() -> None:
    template = published(per_person_daily_limit=1)
    customer = CustomerFactory(merchant=template.merchant)
    coupon = issued(template, customer)
    midnight = datetime.combine(local_day(timezone.now()), datetime.min.time(), SHANGHAI)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(issued_at=midnight)
    assert refusal(template, customer) is Reason.PERSON_DAILY_LIMIT
    IssuedCoupon.objects.filter(pk=coupon.pk).update(issued_at=midnight - timedelta(microseconds=1))
    issued(template, customer)


def test_a_refusal_takes_nothing_from_the_stock() -> None:
    template = published(stock=5, per_person_limit=1)
    customer = CustomerFactory(merchant=template.merchant)
    issued(template, customer)
    refusal(template, customer)
    template.refresh_from_db()
    assert template.issued_count == 1


def test_a_customer_of_another_merchant_gets_nothing() -> None:
    template = published()
    with pytest.raises(Customer.DoesNotExist):
        issued(template, CustomerFactory(merchant=MerchantFactory()))


def test_an_end_that_has_passed_is_refused() -> None:
    template = published()
    customer = CustomerFactory(merchant=template.merchant)
    with pytest.raises(Refused) as refused:
        issuing.issue(
            template=template,
            customer=customer,
            through=STAFF,
            valid_until=timezone.now() - timedelta(seconds=1),
        )
    assert refused.value.reason is Reason.END_PASSED


@pytest.mark.parametrize(
    ("received", "days", "last"),
    [
        # 16:30 UTC is half past midnight in Shanghai: already the next day there.
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), 1, date(2026, 11, 22)),
        (datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC), 1, date(2026, 11, 23)),
        (datetime(2026, 11, 22, 16, 30, tzinfo=UTC), 15, date(2026, 12, 7)),
    ],
)
def test_days_of_validity_count_local_days_from_the_day_of_receipt(received: datetime, days: int, last: date) -> None:
    template = CouponTemplateFactory.build(start_date=date(2026, 11, 1), end_date=date(2026, 11, 30), valid_days=days)
    _, until = validity(template.terms(), received)
    assert until == datetime.combine(last, datetime.max.time().replace(microsecond=0), SHANGHAI)


def test_without_days_the_end_dates_day_is_the_last() -> None:
    template = CouponTemplateFactory.build(start_date=date(2026, 11, 1), end_date=date(2026, 11, 30))
    begin, until = validity(template.terms(), datetime(2026, 10, 1, tzinfo=UTC))
    assert begin == datetime(2026, 11, 1, tzinfo=SHANGHAI)
    assert until == datetime(2026, 11, 30, 23, 59, 59, tzinfo=SHANGHAI)


def test_what_the_giver_says_of_the_end_holds_to_the_second() -> None:
    told = timezone.now() + timedelta(hours=3)
    assert validity(CouponTemplateFactory.build().terms(), timezone.now(), told)[1] == told


def test_an_end_before_the_first_day_is_refused() -> None:
    start = local_day(timezone.now()) + timedelta(days=3)
    terms = CouponTemplateFactory.build(start_date=start).terms()
    with pytest.raises(Refused, match="ends_before_start"):
        validity(terms, timezone.now(), timezone.now() + timedelta(days=1))
