"""Templates and coupons as partners read them: their form, filters and pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from merchants.models import Merchant
from tests.api.caller import Caller, caller_of, refused
from tests.factories import CouponTemplateFactory, CustomerFactory, MerchantFactory, issued, published
from tests.many import give_many
from tests.plans import rows_read

pytestmark = pytest.mark.django_db


def test_a_template_reads_with_its_terms_and_what_is_left(api: Caller, merchant: Merchant) -> None:
    template = published(
        merchant=merchant, reference="lunch", stock=3, use_times=["11:00-14:00"], use_weekdays=[1], per_person_limit=2
    )
    issued(template)
    said = api.get(f"coupon-templates/{template.coupon_id}/").json()
    expected = {
        "coupon_id": template.coupon_id, "reference": "lunch", "merchant_id": "88", "title": "满50减10",
        "kind": "cash", "amount_fen": 1000, "percent_paid": None, "min_spend_fen": 5000, "use_times": ["11:00-14:00"],
        "use_weekdays": [1], "per_person_limit": 2, "start_date": str(template.start_date),
        "end_date": str(template.end_date), "status": "published", "stock": 3, "stock_left": 2,
    }  # fmt: skip
    assert {name: said[name] for name in expected} == expected
    assert api.get("coupon-templates/").json()["results"] == [said]


def test_templates_are_filtered_by_merchant_and_status(api: Caller, merchant: Merchant) -> None:
    other: Merchant = MerchantFactory(merchant_id="89")
    api.app.merchants.add(other)
    mine, theirs, draft = published(merchant=merchant), published(merchant=other), CouponTemplateFactory(merchant=other)

    def ids(query: str) -> list[str]:
        return [one["coupon_id"] for one in api.get(f"coupon-templates/{query}").json()["results"]]

    assert ids("") == [draft.coupon_id, theirs.coupon_id, mine.coupon_id], "newest first"
    assert ids("?merchant_id=88") == [mine.coupon_id]
    assert ids("?merchant_id=89&status=draft") == [draft.coupon_id]


def test_pages_hold_every_coupon_once_whatever_is_issued_meanwhile(api: Caller, template: CouponTemplate) -> None:
    codes = [issued(template).code for _ in range(7)]
    page = api.get("coupons/?limit=3").json()
    assert list(page) == ["next", "previous", "results"]
    assert page["previous"] is None
    seen = [one["code"] for one in page["results"]]
    while page["next"]:
        issued(template)
        page = api.get("/" + page["next"].split("/", 3)[3]).json()
        seen += [one["code"] for one in page["results"]]
    assert seen == codes[::-1]


def test_pages_are_of_fifty_and_of_two_hundred_at_most(api: Caller, template: CouponTemplate) -> None:
    for _ in range(52):
        issued(template, CustomerFactory(merchant=template.merchant))
    api.get("coupons/")  # notes that the key was used, which the next ones need not
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert len(api.get("coupons/?limit=1").json()["results"]) == 1
    with CaptureQueriesContext(connection) as many:
        assert len(api.get("coupons/").json()["results"]) == 50
    assert len(many) == len(few), "no query more for more rows"
    assert not any("COUNT(" in query["sql"] for query in many)
    assert len(api.get("coupons/?limit=200").json()["results"]) == 52
    assert refused(api.get("coupons/?limit=201")) == (400, "max_value", "limit")


@pytest.mark.parametrize(
    ("query", "code", "attr"),
    [
        ("limit=0", "min_value", "limit"),
        ("limit=x", "invalid", "limit"),
        ("limit=-1", "invalid", "limit"),
        (f"limit={'9' * 1001}", "invalid", "limit"),
        ("merchant_id=%00", "invalid", "merchant_id"),
        ("cursor=%00", "invalid_cursor", "cursor"),
        ("cursor=n1&cursor=n2", "invalid", "cursor"),
        ("cursor=x", "invalid_cursor", "cursor"),
        ("cursor=cD14", "invalid_cursor", "cursor"),  # p=x
        ("cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "invalid_cursor", "cursor"),
        ("status=lost", "invalid_choice", "status"),
        ("identifer=1", "unknown_field", "identifer"),
        ("identifier=%00", "invalid", "identifier"),
    ],
)
def test_bad_queries_name_the_filter(api: Caller, query: str, code: str, attr: str) -> None:
    answer = api.get(f"coupons/?{query}")
    assert refused(answer) == (400, code, attr)


def test_coupons_are_filtered_by_merchant_identifier_and_status(api: Caller, template: CouponTemplate) -> None:
    other: Merchant = MerchantFactory(merchant_id="89")
    api.app.merchants.add(other)
    here = issued(template, CustomerFactory(merchant=template.merchant, identifier="m-1"))
    there = issued(published(merchant=other), CustomerFactory(merchant=other, identifier="m-1"))
    third = issued(template)
    over = issued(template)
    past = timezone.now() - timedelta(seconds=2)
    IssuedCoupon.objects.filter(pk=over.pk).update(valid_from=past, valid_until=past)

    def codes(query: str) -> list[str]:
        return [one["code"] for one in api.get(f"coupons/?{query}").json()["results"]]

    assert codes("identifier=m-1") == [there.code, here.code]
    assert codes("identifier=m-1&merchant_id=88") == [here.code]
    assert codes("identifier=nobody") == []
    assert codes("merchant_id=88&status=issued") == [third.code, here.code]
    assert codes("status=expired") == [over.code], "expiry takes effect on reading"
    assert api.get(f"coupons/{over.code}/").json()["status"] == "expired"


def test_an_app_without_merchants_sees_nothing(template: CouponTemplate) -> None:
    issued(template)
    alone = caller_of("alone")
    assert alone.get("coupons/").json()["results"] == alone.get("coupon-templates/").json()["results"] == []


def test_a_holder_who_was_erased_has_no_identifier(api: Caller, template: CouponTemplate, known_erased: Any) -> None:
    assert api.get(f"coupons/{known_erased(template).code}/").json()["identifier"] is None


@pytest.fixture
def known_erased() -> Any:
    """A coupon whose holder has asked to be forgotten."""
    from coupons import erasing

    def make(template: CouponTemplate) -> IssuedCoupon:
        coupon = issued(template)
        erasing.erase(coupon.customer, reason="asked", asked_by="staff:lili")
        return coupon

    return make


def test_the_list_reads_no_more_coupons_than_it_shows(api: Caller, template: CouponTemplate) -> None:
    give_many(template, 3000)
    give_many(published(merchant=MerchantFactory()), 3000)  # newer, and another merchant's
    listed = api.get("coupons/").json()
    for page in ("coupons/", listed["next"].split("/api/v1/")[1]):
        assert rows_read(lambda page=page: api.get(page), IssuedCoupon) <= 110, page
