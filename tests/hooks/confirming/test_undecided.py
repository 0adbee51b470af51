"""What becomes of pushes whose process died or that staff stepped into, and when partners are told."""

from collections.abc import Callable

import pytest

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind
from integrations.smart_coupon import confirming
from merchants.models import SmartCouponAccount
from tests.factories import issued
from tests.hooks.confirming.helpers import die, is_refused, nothing_is_left, overdue, working
from tests.hooks.helpers import address_of, create_push, last_push, post
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("saved", [True, False], ids=["dfire had accepted", "dfire was never told"])
def test_after_a_crash_the_sweep_removes_everything(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    die(monkeypatch, lambda: post(address_of(platform), create_push()))
    assert last_push().status == 503
    if saved:
        drain_through()
    assert confirming.finish_overdue() == 0, "it is not overdue yet"
    overdue()
    assert confirming.finish_overdue() == 1
    nothing_is_left(dfire)
    assert last_push().status == 503


def test_after_a_crash_the_repeat_gets_what_dfire_has_accepted(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    drain_through()
    answer = post(address_of(platform), push)
    assert answer.status_code == 200
    assert CouponTemplate.objects.get().coupon_id == answer.json()["result"]["coupon_id"]
    assert confirming.finish_overdue() == 0


def test_after_a_crash_without_workers_the_second_repeat_is_a_new_try(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    overdue()
    is_refused(post(address_of(platform), push))
    with working():
        assert post(address_of(platform), push).status_code == 200
    assert CouponTemplate.objects.count() == 1


def test_coupons_that_staff_gave_in_that_moment_stay_good(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, lambda: post(address_of(platform), create_push()))
    template = CouponTemplate.objects.get()
    templates.publish(template)
    issued(template)
    overdue()
    assert confirming.finish_overdue() == 1
    template.refresh_from_db()
    assert template.status == TemplateStatus.ENDED
    assert not OutboxRow.objects.filter(kind=RowKind.DELETE_PROMOTION).exists()


def test_a_template_that_staff_ended_meanwhile_is_no_success(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    templates.end(CouponTemplate.objects.get())
    drain_through()
    is_refused(post(address_of(platform), push))
    nothing_is_left(dfire)


def test_partners_are_told_once_and_only_of_what_is_confirmed(
    platform: SmartCouponAccount, told: Callable[[], list[str]]
) -> None:
    is_refused(post(address_of(platform), create_push()))
    assert told() == []
    with working():
        assert post(address_of(platform), create_push()).status_code == 200
    assert told() == ["template.published"]


def test_partners_are_told_nothing_of_what_staff_do_before_it_is_confirmed(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    templates.publish(CouponTemplate.objects.get())
    assert told() == []
    overdue()
    assert confirming.finish_overdue() == 1
    assert told() == []
    die(monkeypatch, lambda: post(address_of(platform), push))
    templates.publish(CouponTemplate.objects.get())
    drain_through()
    assert post(address_of(platform), push).status_code == 200
    assert told() == ["template.published"]
