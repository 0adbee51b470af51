"""Redeemed coupons that a platform pushed are reported to it: once where all goes well, and in the end in any case."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.alerts.kinds import happened
from integrations.consume import client, driving, lanes, writing
from integrations.models import ConsumeReport, Incident, ReportLane
from integrations.models.alerts import IncidentKind
from integrations.models.reports import ReportState
from integrations.sandbox.server import Sandbox
from merchants.models import Merchant, SmartCouponAccount
from tests.admin.pages import page_of
from tests.consume.helpers import CONSUME, TOKEN, Reports, redeem, report_of, time_passes
from tests.factories import SmartCouponAccountFactory, issued

pytestmark = pytest.mark.django_db(transaction=True)
Give = Callable[[], IssuedCoupon]


def states() -> set[str]:
    return set(ConsumeReport.objects.values_list("state", flat=True))


def test_a_redeemed_coupon_is_reported_by_its_code(pushed: Give, reported: Reports) -> None:
    coupon = pushed()
    pushed()
    redeem(coupon)
    assert driving.drain() == 1
    assert reported.times() == {coupon.code: 1}
    report = report_of(coupon)
    assert (report.state, report.result, report.code, report.tries) == (ReportState.DONE, "ok", "200", 1)
    assert driving.drain() == 0


def test_nothing_is_written_for_what_no_platform_pushed(template: CouponTemplate, platform: SmartCouponAccount) -> None:
    redeem(issued(template))
    assert not ConsumeReport.objects.exists()


@pytest.mark.parametrize("missing", ["consume_base_url", "app_id", "app_secret"])
def test_an_account_without_address_or_credentials_gets_none(
    pushed: Give, platform: SmartCouponAccount, missing: str
) -> None:
    setattr(platform, missing, "")
    platform.save()
    redeem(pushed())
    assert not ConsumeReport.objects.exists()
    assert (writing.write_missing(), driving.drain()) == (0, 0)


def test_the_report_stands_or_falls_with_the_redemption(pushed: Give) -> None:
    coupon = pushed()
    with transaction.atomic():
        redeem(coupon)
        assert ConsumeReport.objects.exists()
        transaction.set_rollback(True)
    assert not ConsumeReport.objects.exists()


def test_many_go_in_one_call(pushed: Give, reported: Reports, settings: LazySettings) -> None:
    settings.CONSUME_COUPONS_A_CALL = 4
    coupons = [pushed() for _ in range(10)]
    for coupon in coupons:
        redeem(coupon)
    assert driving.drain() == 3
    assert reported.times() == {coupon.code: 1 for coupon in coupons}


def test_one_token_is_fetched_and_kept_encrypted(pushed: Give, reported: Reports, platform: SmartCouponAccount) -> None:
    for _ in range(2):
        redeem(pushed())
        driving.drain()
    token = ReportLane.objects.get().access_token
    assert token
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM integrations_reportlane")
        assert token not in cursor.fetchone()[0]
    reported.fault(TOKEN, "http_500", times=None)
    redeem(pushed())
    driving.drain()
    assert (reported.fired(), states()) == (0, {ReportState.DONE})


def test_a_token_that_is_refused_is_fetched_anew(pushed: Give, reported: Reports) -> None:
    redeem(pushed())
    driving.drain()
    ReportLane.objects.update(access_token="of yesterday")
    redeem(pushed())
    assert driving.drain() == 1
    assert states() == {ReportState.DONE}


@pytest.mark.parametrize("fault", ["latency_after", "drop_after", "garbage_after", "http_500_after", "empty_after"])
def test_an_answer_that_is_lost_is_a_repeat_that_does_no_harm(
    pushed: Give, reported: Reports, settings: LazySettings, fault: str
) -> None:
    settings.CONSUME_TIMEOUT_SECONDS = 1
    coupon = pushed()
    redeem(coupon)
    reported.fault(CONSUME, fault, latency_ms=1500 if fault == "latency_after" else 0)
    driving.drain()
    assert report_of(coupon).state == ReportState.QUEUED
    assert driving.drain() == 0, "not at once again"
    time_passes()
    driving.drain()
    assert report_of(coupon).state == ReportState.DONE
    assert reported.times() == {coupon.code: 2}


@pytest.mark.parametrize("fault", ["busy", "rate_limited", "http_500", "html_502", "drop_before", "garbage"])
@pytest.mark.parametrize("method", [TOKEN, CONSUME])
def test_what_passes_is_tried_again(pushed: Give, reported: Reports, fault: str, method: str) -> None:
    coupon = pushed()
    redeem(coupon)
    reported.fault(method, fault)
    driving.drain()
    assert (report_of(coupon).state, report_of(coupon).tries) == (ReportState.QUEUED, 1)
    time_passes()
    driving.drain()
    assert report_of(coupon).state == ReportState.DONE


@pytest.mark.parametrize("code", ["VA01", "SE02", "SE04"])
def test_the_one_that_is_refused_is_found_among_many(
    pushed: Give, reported: Reports, settings: LazySettings, code: str
) -> None:
    coupons = [pushed() for _ in range(3)]
    for coupon in coupons:
        redeem(coupon)
    reported.fault(CONSUME, "refuse", times=2, code=code, message="不行")
    driving.drain()
    refused, *others = coupons
    assert (report_of(refused).state, report_of(refused).code) == (ReportState.DEAD, code)
    assert report_of(refused).message == "不行"
    assert reported.times() == {coupon.code: 1 for coupon in others}
    assert lanes.retry(ConsumeReport.objects.all()) == [report_of(refused).pk]
    driving.drain()
    assert states() == {ReportState.DONE}


def test_what_it_has_already_is_done(pushed: Give, reported: Reports) -> None:
    redeem(pushed())
    reported.fault(CONSUME, "refuse", code="SE01")
    driving.drain()
    assert states() == {ReportState.DONE}


def test_wrong_credentials_stop_the_lane_until_they_are_mended(
    pushed: Give, reported: Reports, platform: SmartCouponAccount
) -> None:
    SmartCouponAccount.objects.update(app_id="someone else")
    for _ in range(3):
        redeem(pushed())
    driving.drain()
    lane = ReportLane.objects.get()
    assert (lane.code, lane.access_token, states()) == ("SE03", "", {ReportState.QUEUED})
    assert lane.stopped_at is not None
    incident = Incident.objects.get(kind=IncidentKind.REPORTS_STOPPED)
    assert (incident.closed_at, incident.figures["platform"], incident.page) == (None, "maxfun", page_of(platform))
    assert "SE03" in happened(incident)
    assert incident.merchant == platform.merchants.get()
    assert driving.drain() == 0, "it is tried now and then, not at once"
    SmartCouponAccount.objects.update(app_id=platform.app_id)
    lanes.go_on(platform)
    driving.drain()
    lane.refresh_from_db()
    assert (lane.stopped_at, lane.code, states()) == (None, "", {ReportState.DONE})
    incident.refresh_from_db()
    assert incident.closed_at is not None


def test_an_account_that_wants_no_reports_any_more_has_no_incident(
    pushed: Give, reported: Reports, platform: SmartCouponAccount
) -> None:
    SmartCouponAccount.objects.update(app_id="someone else")
    redeem(pushed())
    driving.drain()
    platform.app_id = ""
    platform.save()
    lanes.go_on(platform)
    assert Incident.objects.get().closed_at is not None


def test_nothing_that_is_kept_names_the_secret(
    pushed: Give, platform: SmartCouponAccount, sandbox: Sandbox, caplog: Any
) -> None:
    coupon = pushed()
    redeem(coupon)
    SmartCouponAccount.objects.update(consume_base_url="http://127.0.0.1:9")
    driving.drain()
    report, lane = report_of(coupon), ReportLane.objects.get()
    assert report.message.startswith("No answer")
    assert lane.next_at is not None
    kept = f"{report.__dict__} {lane.__dict__} {caplog.text}"
    assert platform.app_secret not in kept


def test_a_platform_that_is_down_holds_nobody_else_back(
    pushed: Give, reported: Reports, platform: SmartCouponAccount, merchant: Merchant
) -> None:
    down: SmartCouponAccount = SmartCouponAccountFactory(
        consume_base_url="http://127.0.0.1:9", app_id="a", app_secret="b"
    )
    lost = pushed()
    IssuedCoupon.objects.filter(pk=lost.pk).update(source_account=down)
    lost.refresh_from_db()
    redeem(lost)
    coupon = pushed()
    redeem(coupon)
    driving.drain()
    assert (report_of(lost).state, report_of(coupon).state) == (ReportState.QUEUED, ReportState.DONE)


def test_a_coupon_that_always_breaks_the_platform_does_not_hold_the_others_back(
    pushed: Give, reported: Reports
) -> None:
    coupons = [pushed() for _ in range(3)]
    for coupon in coupons:
        redeem(coupon)
    reported.fault(CONSUME, "busy", times=lanes.TOGETHER_TRIES + 1)
    for _ in range(lanes.TOGETHER_TRIES + 1):
        time_passes()
        driving.drain()
    done = [report_of(coupon).state for coupon in coupons]
    assert sorted(done) == [ReportState.DONE, ReportState.DONE, ReportState.QUEUED]


def test_a_worker_that_dies_leaves_a_lease_that_runs_out(
    pushed: Give, reported: Reports, platform: SmartCouponAccount
) -> None:
    coupon = pushed()
    redeem(coupon)
    job = lanes.claim(platform)
    assert job is not None
    outcome = client.report(job.where, job.codes, access_token=job.access_token)
    assert driving.drain() == 0, "it may still be at it"
    time_passes()
    assert driving.drain() == 1
    lanes.settle(job, client.Outcome(client.ResultClass.PERMANENT, "VA01"))
    assert report_of(coupon).state == ReportState.DONE, "a late outcome changes nothing"
    assert outcome.result == client.ResultClass.OK


def test_many_workers_make_one_call_at_a_time(pushed: Give, platform: SmartCouponAccount) -> None:
    redeem(pushed())
    assert lanes.claim(platform) is not None
    redeem(pushed())
    assert lanes.claim(platform) is None


def test_the_sweep_finds_what_has_no_report_and_begins_again(
    pushed: Give, reported: Reports, platform: SmartCouponAccount, settings: LazySettings
) -> None:
    settings.CONSUME_MISSING_A_SWEEP = 2
    SmartCouponAccount.objects.update(consume_base_url="")
    coupons = [pushed() for _ in range(5)]
    for coupon in coupons[:4]:
        redeem(coupon)
    SmartCouponAccount.objects.update(consume_base_url=platform.consume_base_url)
    assert [writing.write_missing() for _ in range(3)] == [2, 2, 0]
    redeem(coupons[4])
    ConsumeReport.objects.filter(coupon=coupons[0]).delete()
    assert sum(writing.write_missing() for _ in range(3)) == 1
    driving.drain()
    assert reported.times() == {coupon.code: 1 for coupon in coupons}


def test_the_sweep_looks_into_an_index(pushed: Give, platform: SmartCouponAccount) -> None:
    redeem(pushed())
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM coupons_issuedcoupon WHERE source_account_id = %s AND status = 'redeemed'"
            " AND id > 0 ORDER BY id LIMIT 1000",
            [platform.pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "coupon_pushed_redeemed" in plan, plan
    assert "Sort" not in plan


def test_an_old_redemption_is_reported_too(pushed: Give, reported: Reports) -> None:
    """A till may tell days later; what the platform is told has no date."""
    coupon = pushed(valid_until=timezone.now() + timedelta(days=3))  # type: ignore[call-arg]
    redeem(coupon)
    ConsumeReport.objects.all().delete()
    assert writing.write_missing() == 1
    driving.drain()
    assert coupon.code in reported.times()
