"""Many rows inserted by one statement are what `save` would have stored."""

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from coupons.choices import EventKind
from coupons.models import CouponEvent
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from merchants.inserting import array, insert_like
from merchants.models import Customer
from tests.factories import MerchantFactory, issued

pytestmark = pytest.mark.django_db
AWKWARD = ["a,b", 'a"b', "a\\b", "{a}", "NULL", "null", "", " a ", "张三", "١٢", "12", "\U0001f389", "a'b; --"]


def test_what_is_the_same_in_all_rows_is_said_once() -> None:
    merchant = MerchantFactory()
    named = insert_like(
        Customer(merchant=merchant, mobile="13800138000"), {"identifier": ["b", "a"]}, returning="identifier, id"
    )
    assert sorted(named) == list(Customer.objects.order_by("identifier").values_list("identifier", "pk"))
    first = Customer.objects.get(identifier="a")
    assert (first.merchant, first.mobile, first.openid, first.erased_at) == (merchant, "13800138000", "", None)
    assert (timezone.now() - first.created_at).total_seconds() < 60


def test_a_row_reads_as_the_one_that_save_stores() -> None:
    coupon = issued()
    event = {"at": timezone.now(), "kind": EventKind.WAITING, "actor": "portal", "data": {"missing": "openid"}}
    CouponEvent.objects.create(coupon=coupon, **event)
    insert_like(CouponEvent(**event), {"coupon_id": [coupon.pk]})
    saved, inserted = CouponEvent.objects.filter(kind=EventKind.WAITING).values().order_by("id")
    assert saved.pop("id") < inserted.pop("id")
    assert saved == inserted


def test_what_the_database_fills_in_is_left_to_it() -> None:
    coupon = issued()
    OutboxRow.objects.filter(coupon=coupon).update(state=RowState.DONE)
    like = OutboxRow(
        kind=RowKind.DELIVER, merchant=coupon.merchant, state=RowState.WAITING, available_at=timezone.now()
    )
    insert_like(like, {"coupon_id": [coupon.pk]})
    assert OutboxRow.objects.get(state=RowState.WAITING).queued_at is not None


@pytest.mark.parametrize("values", [AWKWARD, ["1", "22"], ["1", None], [1, 2]])
def test_every_value_arrives_as_it_was_given(values: list[str | int | None]) -> None:
    names = [str(value) for value in values if value]
    insert_like(Customer(merchant=MerchantFactory()), {"identifier": names})
    assert set(Customer.objects.values_list("identifier", flat=True)) == set(names)


@pytest.mark.parametrize("values", [AWKWARD, [None, *AWKWARD], ["12", None], ["12", "3"], []])
def test_an_array_is_read_as_it_was_put_together(values: list[str | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [array(values)])
        assert cursor.fetchone() == (values,)


def test_digits_are_not_quoted_and_uncommon_kinds_are_left_to_the_driver() -> None:
    assert array([1, 2]) == "{1,2}"
    assert array(["12", "3"]) == "{12,3}"
    assert array([1.5]) == [1.5]


def test_the_databases_rules_hold() -> None:
    merchant = MerchantFactory()
    with pytest.raises(IntegrityError):
        insert_like(Customer(merchant=merchant), {"identifier": ["a", "a"]})


def test_nobody_is_nobody() -> None:
    assert insert_like(Customer(merchant=MerchantFactory()), {"identifier": []}) == []
    assert not Customer.objects.exists()
