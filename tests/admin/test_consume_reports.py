"""Consume reports on pages: what keeps them, who sees and retries them, and where the coupon's own page says it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from integrations.models import ConsumeReport, ReportLane
from integrations.models.reports import ReportState
from tests.admin.conftest import World
from tests.admin.pages import act, act_on_selected, list_of, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(world: World) -> ConsumeReport:
    """Of the scoped member's merchant."""
    return ConsumeReport.objects.create(
        coupon=world.coupon, account=world.smart, available_at=timezone.now(), state=ReportState.DEAD, code="SE02",
        message="没有这张券", settled_at=timezone.now(), tries=1,
    )  # fmt: skip


@pytest.fixture
def others(world: World) -> ConsumeReport:
    """Of another merchant."""
    return ConsumeReport.objects.create(
        coupon=world.other_coupon, account=world.smart, available_at=timezone.now(), state=ReportState.DEAD
    )


def test_the_page_and_the_coupons_page_say_what_is_wrong(lili: Client, failed: ConsumeReport) -> None:
    for address in (page_of(failed), list_of(ConsumeReport), page_of(failed.coupon)):
        html = lili.get(address).content.decode()
        assert "The platform knows no such coupon." in html, address
        assert "没有这张券" in html
    assert f'href="{page_of(failed)}"' in lili.get(page_of(failed.coupon)).content.decode()


def test_another_merchants_is_not_there(lili: Client, failed: ConsumeReport, others: ConsumeReport) -> None:
    assert others.coupon.code not in lili.get(list_of(ConsumeReport)).content.decode()
    assert lili.get(page_of(others), follow=False).status_code in (302, 404)
    assert lili.post(page_of(others).replace("/change/", "/retry/"), {"_form_submitted": "1"}).status_code == 404
    act_on_selected(lili, [failed, others], "retry_selected")
    failed.refresh_from_db()
    others.refresh_from_db()
    assert (failed.state, others.state) == (ReportState.QUEUED, ReportState.DEAD)


def test_a_failed_one_is_retried_from_its_page(lili: Client, failed: ConsumeReport) -> None:
    assert act(lili, failed, "retry") == ["1 report is queued again."]
    failed.refresh_from_db()
    assert (failed.state, failed.tries, failed.settled_at) == (ReportState.QUEUED, 0, None)
    assert "/retry/" not in lili.get(page_of(failed)).content.decode()


def test_who_may_only_look_cannot_retry(lili: Client, staff: User, failed: ConsumeReport) -> None:
    staff.user_permissions.remove(Permission.objects.get(codename="change_consumereport"))
    assert "/retry/" not in lili.get(page_of(failed)).content.decode()
    answer = lili.post(page_of(failed).replace("/change/", "/retry/"), {"_form_submitted": "1"})
    failed.refresh_from_db()
    assert (answer.status_code, failed.state) == (403, ReportState.DEAD)


def test_a_queued_one_says_why_its_lane_stands_still(lili: Client, failed: ConsumeReport) -> None:
    ConsumeReport.objects.update(state=ReportState.QUEUED)
    ReportLane.objects.create(account=failed.account, stopped_at=timezone.now(), code="SE03")
    assert "The platform refuses app_id and app_secret." in lili.get(list_of(ConsumeReport)).content.decode()


def test_the_lanes_page_opens_for_administrators_alone(root: Client, lili: Client, world: World) -> None:
    lane = ReportLane.objects.create(account=world.smart, access_token="t0ken-of-the-platform")
    html = root.get(page_of(lane)).content.decode()
    assert "t0ken-of-the-platform" not in html
    assert lili.get(page_of(lane)).status_code in (302, 403, 404)
