"""PostgreSQL there and slow: a lock, a table, a statement. 503 within bounds, and no thread hangs."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction

from coupons.choices import CouponStatus
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import DfireCallback
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import issued, published
from tests.hooks.helpers import FORM, address_of, callback, create_push, give_push
from tests.hooks.unavailable import BUSY, SLACK_SECONDS, UNAVAILABLE, assert_unavailable, send

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_that_someone_holds_is_503_and_other_hooks_go_on(
    web: str, platform: SmartCouponAccount, merchant: Merchant
) -> None:
    template, other = published(merchant=merchant), published(merchant=merchant)
    path = address_of(platform, "coupon-detail")
    with transaction.atomic():
        CouponTemplate.objects.select_for_update().get(pk=template.pk)
        answer, seconds = send(web, path, give_push(template.coupon_id))
        assert_unavailable(answer, UNAVAILABLE)
        assert settings.HOOK_LOCK_SECONDS <= seconds < settings.HOOK_LOCK_SECONDS + SLACK_SECONDS
        assert send(web, path, give_push(other.coupon_id))[0].status_code == 200
    assert send(web, path, give_push(template.coupon_id))[0].status_code == 200
    assert IssuedCoupon.objects.filter(template=template).count() == 1


def test_a_table_that_is_locked_for_long_holds_no_thread(web: str, tills: DfireAccount, merchant: Merchant) -> None:
    """As a careless migration would lock it: the very first question has to wait already."""
    coupon = issued(published(merchant=merchant))
    form = urlencode(callback(tills, coupon.code)).encode()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE merchants_dfireaccount IN ACCESS EXCLUSIVE MODE")
        answer, seconds = send(web, "/hooks/dfire/", form, FORM)
        assert_unavailable(answer, BUSY)
        assert seconds < settings.HOOK_LOCK_SECONDS + SLACK_SECONDS
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        assert cursor.fetchone()[0] == 0, "PostgreSQL waits on for a caller that has had its answer"
    assert send(web, "/hooks/dfire/", form, FORM)[0].json()["resultCode"] == "000"
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
    assert DfireCallback.objects.count() == 1


@pytest.fixture
def slow_records() -> Iterator[None]:
    """Writing down what came of a push takes a minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(60); RETURN NEW; END$$;"
            "CREATE TRIGGER dawdles BEFORE INSERT ON integrations_push FOR EACH ROW EXECUTE FUNCTION dawdle()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION dawdle CASCADE")


def test_a_statement_that_takes_too_long_is_503(web: str, platform: SmartCouponAccount, slow_records: None) -> None:
    answer, seconds = send(web, address_of(platform), create_push())
    assert_unavailable(answer, UNAVAILABLE)
    assert settings.HOOK_STATEMENT_SECONDS <= seconds < settings.HOOK_STATEMENT_SECONDS + SLACK_SECONDS
    assert CouponTemplate.objects.count() == 0
