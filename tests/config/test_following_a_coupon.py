"""From the push to the redemption at the till: the ids in the log lead from each line to the next."""

import json
from typing import Any

import pytest
from django.db import transaction
from structlog.contextvars import bound_contextvars

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.dfire import DfireClient
from integrations.models import OutboxAttempt, OutboxRow
from integrations.outbox import engine
from integrations.outbox.claiming import claim
from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.config.conftest import Lines
from tests.factories import CustomerFactory, SmartCouponAccountFactory, published
from tests.hooks.helpers import address_of, callback, give_push, post, tell
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, one_coupon

pytestmark = pytest.mark.django_db(transaction=True)
MOBILE = "13800138000"


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A template that dfire knows."""
    made = published(merchant=merchant)
    engine.drain()
    return made


@pytest.fixture
def platform(merchant: Merchant) -> SmartCouponAccount:
    """A smart-coupon account that may push for the merchant."""
    made: SmartCouponAccount = SmartCouponAccountFactory(name="maxfun", token="tok-0123456789abcdef")
    made.merchants.add(merchant)
    return made


def only(found: list[dict[str, Any]], event: str, **like: Any) -> dict[str, Any]:
    """The one line of this event that says so."""
    fit = [line for line in found if line["event"] == event and like.items() <= line.items()]
    assert len(fit) == 1, fit
    return fit[0]


def test_one_coupon_can_be_followed_from_its_push_to_its_callback(
    template: CouponTemplate, platform: SmartCouponAccount, account: DfireAccount, lines: Lines
) -> None:
    CustomerFactory(merchant=template.merchant, identifier=MOBILE, mobile=MOBILE, openid="o3Pm6uD6KVk")
    answer = post(address_of(platform, "coupon-detail"), give_push(template.coupon_id, identifier=MOBILE))
    assert answer.status_code == 200
    coupon = IssuedCoupon.objects.get()
    with bound_contextvars(task_id="task-1"):
        engine.drain()
    form = callback(account, coupon.code, mobile=MOBILE)
    assert tell(form).status_code == 200

    found = lines()
    push = only(found, "request_finished", request="POST /hooks/smart-coupon/<str:token>/coupon-detail/")
    assert (push["coupon_id"], push["account"]) == (coupon.pk, "maxfun")
    assert push["request_id"] == answer["X-Request-ID"]
    written = only(found, "outbox_rows_written", request_id=push["request_id"])
    assert written["coupon_ids"] == [coupon.pk]
    attempt = only(found, "outbox_attempt", outbox_row_id=written["outbox_row_ids"][0])
    assert attempt["origin"] == push["request_id"] == OutboxRow.objects.get(coupon=coupon).origin
    assert attempt["attempt_id"] == OutboxAttempt.objects.get(row__coupon=coupon).pk
    assert (attempt["coupon_id"], attempt["task_id"], attempt["merchant_id"]) == (coupon.pk, "task-1", "88")
    assert (attempt["account"], attempt["result"], attempt["row_becomes"]) == ("sandbox", "ok", "done")
    redeemed = only(found, "request_finished", request="POST /hooks/dfire/")
    assert (redeemed["coupon_id"], redeemed["callback"]) == (coupon.pk, "applied")
    assert only(found, "callback_applied", request_id=redeemed["request_id"])["coupon_id"] == coupon.pk

    said = json.dumps(found)
    for secret in (coupon.code, MOBILE, platform.token, account.app_secret, form["sign"]):
        assert secret not in said


def test_the_threads_that_wait_for_dfire_say_for_which_row(
    template: CouponTemplate, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a bug in the client")

    monkeypatch.setattr(DfireClient, "deliver_promotion", broken)
    coupon = one_coupon(template)
    with bound_contextvars(task_id="task-1"):
        engine.drain()
    (line,) = [line for line in lines() if "a bug in the client" in line.get("exception", "")]
    row = OutboxRow.objects.get(coupon=coupon)
    assert (line["outbox_row_id"], line["coupon_id"], line["task_id"]) == (row.pk, coupon.pk, "task-1")
    assert line["attempt_id"] == row.attempts.get().pk


def test_a_row_that_its_worker_lost_says_so_with_the_same_ids(
    template: CouponTemplate, sandbox: Sandbox, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bound_contextvars(request_id="request-1"):
        coupon = one_coupon(template)
    (job,) = claim(template.merchant.dfire_account_id or 0, 1).jobs
    leases_run_out()
    drain_through()
    lost = only(lines(), "outbox_lease_lost")
    assert (lost["outbox_row_id"], lost["attempt_id"], lost["coupon_id"]) == (job.row_id, job.attempt_id, coupon.pk)
    assert lost["origin"] == "request-1"
    assert len(Dfire(sandbox).calls(DELIVER)) == 1


def test_what_is_rolled_back_leaves_no_line_of_rows(template: CouponTemplate, lines: Lines) -> None:
    for undone in (True, False):
        with bound_contextvars(request_id="request-1"), transaction.atomic():
            one_coupon(template)
            transaction.set_rollback(undone)
        said = [line for line in lines() if line["event"] == "outbox_rows_written"]
        assert len(said) == (0 if undone else 1)
