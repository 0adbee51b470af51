"""A client made from the description, as a partner would make one, goes the whole way at the running portal."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.embedded.places import CHECKOUT
from integrations.partner_api.schema.document import FILE
from tests.api.live import KEY, Partner
from tests.e2e.portal import Portal, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]
PACKAGE = "partner_client"


class Made:
    """The generated package: its calls by name, its models, and a client with the key of an app."""

    def __init__(self, url: str, key: str = KEY) -> None:
        self.models: Any = importlib.import_module(f"{PACKAGE}.models")
        client = importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient
        self._client = client(base_url=url, token=key, prefix="Api-Key", headers={"Accept-Language": "en"})

    def call(self, tag: str, name: str, *address: str, **said: Any) -> tuple[int, Any]:
        """Status and typed body of an answer."""
        answer = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}").sync_detailed(
            *address, client=self._client, **said
        )
        return int(answer.status_code), answer.parsed

    def refusal(self, answered: tuple[int, Any]) -> tuple[int, str, str | None]:
        """Status, code and field of a typed refusal."""
        status, refusal = answered
        assert isinstance(refusal, self.models.Refusal), refusal
        [error] = refusal.errors
        assert error.code in set(self.models.ErrorCode)
        return status, str(error.code), error.attr


@pytest.fixture(scope="module")
def _package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = [
        str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", str(CHECKOUT / FILE),
        "--meta", "none", "--output-path", str(folder / PACKAGE), "--config", str(folder / "config.yaml"),
        "--fail-on-warning",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


@pytest.fixture
def made(_package: None, partner: Partner) -> Made:
    """The generated client of an app that may do everything."""
    return Made(partner.url)


def test_from_the_templates_to_a_redeemed_coupon(made: Made, portal: Portal) -> None:
    models = made.models
    status, page = made.call("templates", "list_coupon_templates", merchant_id="88", limit=200)
    assert (status, type(page)) == (200, models.CouponTemplatePage)
    template = next(row for row in page.results if row.reference == "cash")
    assert (template.kind, template.amount_fen, template.status) == (models.Kind.CASH, 1000, "published")

    body = models.IssueCall(merchant_id="88", coupon_id=template.coupon_id, identifier="generated-1")
    status, coupon = made.call("coupons", "issue_coupon", body=body, idempotency_key="generated-1")
    assert (status, type(coupon), coupon.delivery) == (201, models.Coupon, models.Delivery.WAITING)
    assert coupon.valid_until > datetime.now(UTC)
    assert made.call("coupons", "issue_coupon", body=body, idempotency_key="generated-1") == (201, coupon)
    body = models.IssueCall(merchant_id="88", coupon_id=template.coupon_id, identifier="generated-2")
    again = made.call("coupons", "issue_coupon", body=body, idempotency_key="generated-1")
    assert made.refusal(again) == (422, "idempotency_key_reused", "Idempotency-Key")

    body = models.CustomerCall(merchant_id="88", mobile="13700000001", openid="o-generated-1")
    status, customer = made.call("customers", "put_customer", "generated-1", body=body)
    assert (status, customer.openid) == (200, "o-generated-1")
    until(lambda: _read(made, coupon.code).delivery == models.Delivery.DELIVERED, seconds=30)
    assert portal.held(coupon.code) is not None

    asked = models.CheckCall(amount_fen=5900)
    status, judgement = made.call("coupons", "check_coupon", coupon.code, body=asked)
    assert (status, judgement.usable, [why.code for why in judgement.reasons]) == (200, False, ["below_minimum"])
    assert next(rule for rule in judgement.rules if rule.rule == models.RuleName.SHOP).verdict == models.Verdict.PASS

    order = models.RedeemCall(order_id="o-1", paid_fen=5600, saved_fen=1000)
    status, redeemed = made.call("coupons", "redeem_coupon", coupon.code, body=order)
    assert status in (200, 202)
    until(lambda: _read(made, coupon.code).status == models.CouponStatus.REDEEMED, seconds=30)
    status, redeemed = made.call("coupons", "redeem_coupon", coupon.code, body=order)
    assert (status, redeemed.status) == (200, models.CouponStatus.REDEEMED)
    assert redeemed.redeemed_at is not None
    other = models.RedeemCall(order_id="o-2", paid_fen=5600, saved_fen=1000)
    refusal = made.refusal(made.call("coupons", "redeem_coupon", coupon.code, body=other))
    assert refusal == (409, "already_redeemed", None)


def test_a_coupon_is_passed_on_and_taken_back(made: Made, partner: Partner) -> None:
    models, code = made.models, partner.delivered("percent")
    status, coupon = made.call("coupons", "transfer_coupon", code, body=models.TransferCall(to_openid="o-live-1"))
    assert (status, coupon.identifier) == (202, "m-1")
    until(lambda: _read(made, code).delivery == models.Delivery.DELIVERED, seconds=30)
    status, page = made.call("coupons", "list_coupons", identifier="m-1", status=models.CouponStatus.ISSUED)
    assert code in [row.code for row in page.results]
    status, coupon = made.call("coupons", "revoke_coupon", code, body=models.RevokeCall(reason="a trial"))
    assert (status, coupon.status) == (200, models.CouponStatus.REVOKED)
    refusal = made.refusal(made.call("coupons", "transfer_coupon", code, body=models.TransferCall(to_identifier="m-2")))
    assert refusal == (409, "revoked", None)


def test_refusals_are_typed(made: Made, partner: Partner) -> None:
    models = made.models
    assert made.refusal(made.call("coupons", "get_coupon", "0" * 16)) == (404, "not_found", None)
    body = models.IssueCall(merchant_id="88", coupon_id=partner.template("draft"), identifier="m-3")
    refusal = made.refusal(made.call("coupons", "issue_coupon", body=body))
    assert refusal == (409, "template_not_published", None)
    body = models.CustomerCall(merchant_id="88", mobile="1")
    assert made.refusal(made.call("customers", "put_customer", "m-3", body=body)) == (400, "invalid", "mobile")
    stranger = Made(partner.url, key="cp_nobody")
    assert stranger.refusal(stranger.call("coupons", "list_coupons")) == (401, "authentication_failed", None)


def _read(made: Made, code: str) -> Any:
    status, coupon = made.call("coupons", "get_coupon", code)
    assert status == 200
    return coupon
