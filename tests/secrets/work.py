"""What the portal does with its secrets all day: pushes, deliveries, callbacks, calls, reports, webhooks, notices."""

from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from coupons.models import IssuedCoupon
from integrations.alerts import notices
from integrations.alerts.incidents import raise_incident
from integrations.consume import driving as reports
from integrations.models import AccountState, ConsumeReport, Notice, OutboxAttempt, Push, ReportLane, WebhookAttempt
from integrations.models.alerts import IncidentKind, NoticeState
from integrations.outbox import engine
from integrations.webhooks import driving as webhooks
from tests.api.caller import issue_body
from tests.consume.helpers import CONSUME, TOKEN, Reports
from tests.consume.helpers import time_passes as reports_are_due
from tests.factories import CustomerFactory
from tests.hooks.helpers import address_of, callback, create_push, give_push, post, tell
from tests.hooks.revisions import campaign, grant, made_id, signed
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, time_passes
from tests.secrets.full_run import MOBILE, Run
from tests.webhooks.helpers import time_passes as webhooks_are_due
from tests.webhooks.partner import answers, breaks_off, hangs_up


def pushed(run: Run) -> None:
    """All revisions, and everything that is refused."""
    create, give = address_of(run.platform), address_of(run.platform, "coupon-detail")
    key, mobile = run.secrets["developer"], {"identifier": MOBILE}
    plain = run.heard("push 1", post(create, create_push())).json()["result"]["coupon_id"]
    second = made_id(run.heard("push 2", post(create, signed(campaign(2), 2, key=key))).json(), "campaign_id")
    third = made_id(run.heard("push 3", post(create, signed(campaign(3), 3, key=key))).json(), "campaign_id")
    given = [
        post(give, give_push(plain, **mobile)),
        post(give, signed(grant(second, 2, **mobile), 2, key=key)),
        post(give, signed(grant(third, 3, customer_identifier=MOBILE), 3, key=key)),
    ]
    assert [run.heard("give", answer).status_code for answer in given] == [200] * 3
    refused = [
        post(give, give_push(plain, **mobile)),
        post(give, signed(grant(second, 2, **mobile), 2, key=key + "x")),
        post(give, signed(grant(third, 3, customer_identifier=MOBILE), 3, key=key, at=1.0)),
        post(give, give_push("unknown", **mobile)),
        post(give, b'{"identifier": "' + MOBILE.encode()),
        post(create.replace(run.platform.token, run.platform.token + "x"), create_push()),
        post(create.replace(run.platform.token, run.secrets["token before"]), create_push(coupon_name="旧")),
        post(create + "typo/", create_push()),
        post(create, create_push(), "text/plain"),
        run.client.get(create),
    ]
    for answer in refused:
        run.heard("refused push", answer)
    assert {answer.status_code for answer in refused} == {200, 400, 401, 404, 405, 415}
    assert Push.objects.count() > 8


def delivered(run: Run) -> None:
    """dfire takes, refuses, is late, answers garbage and hangs up."""
    dfire = Dfire(run.sandbox)
    drain_through()
    faults: tuple[dict[str, Any], ...] = (
        {"fault": "drop_after"}, {"fault": "garbage"}, {"fault": "html_502"},
        {"fault": "latency_after", "latency_ms": 2500},
        {"fault": "refuse", "code": "002", "message": f"不行 {MOBILE}"}, {"fault": "bad_signature"},
    )  # fmt: skip
    for number, fault in enumerate(faults):
        dfire.fault(DELIVER, **fault)
        name = f"{MOBILE[:-2]}{number + 50}"
        CustomerFactory(merchant=run.merchant, identifier=name)
        body = issue_body(run.template.coupon_id, identifier=name)
        assert run.heard("api", run.api.post("coupons/", body)).status_code == 201
        engine.drain()
        time_passes()
        engine.drain()
        dfire.behave()
    AccountState.objects.update(probe_at=timezone.now())  # the last one has stopped the account
    drain_through()
    found = set(OutboxAttempt.objects.values_list("result", flat=True))
    assert {"ok", "uncertain", "permanent", "configuration"} <= found, found


def called_back(run: Run) -> None:
    """Redemptions, their repeats and forgeries."""
    for coupon in IssuedCoupon.objects.exclude(pushes=None):
        form = callback(run.account, coupon.code, mobile=MOBILE)
        for sent in (form, form, {**form, "sign": "0" * 40}, {**form, "appKey": "x"}, {**form, "timestamp": "0"}):
            run.heard("callback", tell(sent))


def called(run: Run) -> None:
    """The partner API, rightly and wrongly used."""
    api, code = run.api, IssuedCoupon.objects.first().code  # type: ignore[union-attr]
    body = issue_body(run.template.coupon_id, identifier=MOBILE)
    for answer in (
        api.get(f"coupons/{code}/"), api.get("coupons/0000000000000000/"), api.get("coupon-templates/"),
        api.post("coupons/", body, idempotency_key="once"), api.post("coupons/", body, idempotency_key="once"),
        api.post("coupons/", {**body, "api_key": api.key, "secret": run.secrets["webhook"]}),
        api.post("coupons/", b"{"),
        api.send("GET", "coupon-templates/", authorization=f"Api-Key {api.key}x"),
        api.send("GET", "coupon-templates/", authorization=f"Bearer {api.key}"), api.send("TRACE", "coupons/"),
    ):  # fmt: skip
        run.heard("api", answer)


def reported(run: Run) -> None:
    """Consume reports: a token that is refused, garbage, no answer in time."""
    platform = Reports(run.sandbox)
    assert ConsumeReport.objects.exists()
    with override_settings(CONSUME_TIMEOUT_SECONDS=1):
        for method, fault in ((TOKEN, "garbage"), (TOKEN, "refuse"), (CONSUME, "drop_after"), (CONSUME, "refuse")):
            platform.fault(method, fault, **({"code": "SE03", "message": "bad token"} if fault == "refuse" else {}))
            reports_are_due()
            reports.drain()
            platform.behave()
        reports_are_due()
        reports.drain()
    run.secrets["access token"] = ReportLane.objects.get().access_token
    assert len(run.secrets["access token"]) > 8


def partners_told(run: Run) -> None:
    """Webhooks that are taken, refused and lost."""
    run.partner.next = [answers(500, f"no {MOBILE}".encode()), breaks_off, hangs_up, answers(429, retry_after="1")]
    for _ in range(6):
        webhooks_are_due()
        webhooks.drain()
    assert {"ok", "refused", "broken"} <= set(WebhookAttempt.objects.values_list("result", flat=True))


def people_told(run: Run) -> None:
    """Notices that arrive, and that do not."""
    run.told.answers = [(500, {"error": "no"}), (200, {})]
    for kind in (IncidentKind.DEAD_LETTERS, IncidentKind.DRIFT):
        raise_incident(kind, merchant=run.merchant, figures={"count": 1})
        Notice.objects.update(due_at="2020-01-01T00:00:00Z")
        notices.send_due()
    assert NoticeState.SENT in set(Notice.objects.values_list("state", flat=True))


def tried_at_the_door(run: Run) -> None:
    """What a page that does not exist, and one that fails, say."""
    for path in (f"/hooks/smart-coupon/{run.platform.token}/", f"/api/v1/{run.api.key}/", "/nowhere/"):
        run.heard("404", run.client.get(path))
    assert not settings.DEBUG
