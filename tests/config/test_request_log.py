"""One line for each request, with its id and its route, never its path."""

import ipaddress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config import health
from merchants.models import SmartCouponAccount
from tests.config.conftest import Lines
from tests.factories import SmartCouponAccountFactory

pytestmark = pytest.mark.django_db


def finished(lines: Lines) -> list[dict[str, Any]]:
    """The lines of requests that are over."""
    return [line for line in lines() if line["event"] == "request_finished"]


@pytest.fixture
def platform() -> SmartCouponAccount:
    """An account with a token that must not be read."""
    made: SmartCouponAccount = SmartCouponAccountFactory(name="maxfun", token="tok-0123456789abcdef")
    return made


def test_a_refused_push_is_one_line_with_its_route_and_id(platform: SmartCouponAccount, lines: Lines) -> None:
    answer = Client().post(f"/hooks/smart-coupon/{platform.token}/coupon/", b"{", content_type="application/json")
    (line,) = finished(lines)
    assert line["request"] == "POST /hooks/smart-coupon/<str:token>/coupon/"
    assert (line["code"], line["level"], line["account"]) == (400, "info", "maxfun")
    assert line["request_id"] == answer["X-Request-ID"]
    assert line["duration_ms"] > 0
    assert platform.token not in str(lines())


@pytest.mark.parametrize(
    "path", ["/hook/smart-coupon/tok-0123456789abcdef/coupon/", "/13800138000/tok-0123456789abcdef"]
)
def test_of_an_address_that_does_not_exist_the_first_word_is_enough(path: str, lines: Lines) -> None:
    Client().get(path, {"q": "13800138000"})
    (line,) = finished(lines)
    assert (line["code"], line["request"][:5]) == (404, "GET /")
    for secret in ("tok-0123456789abcdef", "13800138000"):
        assert secret not in str(lines())


def test_what_staff_search_for_is_not_in_the_log_but_who_they_are(admin_client: Client, lines: Lines) -> None:
    admin_client.get("/admin/coupons/issuedcoupon/", {"q": "13800138000"})
    (line,) = finished(lines)
    assert line["user_id"] == User.objects.get().pk
    assert "q=" not in str(line)


@pytest.mark.parametrize(
    ("given", "proxies", "kept"),
    [
        ("edge-7f3a9c12", ["127.0.0.1/32"], True),
        ("edge-7f3a9c12", [], False),
        ('x" injected\n', ["127.0.0.1/32"], False),
        ("x" * 65, ["127.0.0.1/32"], False),
    ],
    ids=["of a trusted proxy", "of anyone", "no sane one", "too long"],
)
def test_a_request_keeps_the_id_that_a_trusted_proxy_gave_it(
    given: str, proxies: list[str], kept: bool, settings: Any, lines: Lines
) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(each) for each in proxies]
    answer = Client().get("/admin/login/", headers={"X-Request-ID": given})
    (line,) = finished(lines)
    assert (line["request_id"] == given) is kept
    assert answer["X-Request-ID"] == line["request_id"]


def test_an_id_is_not_handed_on_to_the_next_request(lines: Lines) -> None:
    ids = {Client().get("/admin/login/")["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    assert ids == {line["request_id"] for line in finished(lines)}


def test_a_request_that_breaks_leaves_its_traceback_once(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    def broken() -> Any:
        raise RuntimeError("a bug, for 13800138000")

    monkeypatch.setattr(health, "states", broken)
    answer = Client(raise_request_exception=False).get("/readyz")
    assert answer.status_code == 500
    (line,) = [line for line in lines() if "exception" in line]
    assert (line["event"], line["request"]) == ("request_failed", "GET /readyz")
    assert "RuntimeError: a bug, for 138****8000" in line["exception"]
    assert line["request_id"] == answer["X-Request-ID"]


def test_a_probe_that_finds_all_well_leaves_no_line(lines: Lines) -> None:
    assert Client().get("/healthz").status_code == 200
    assert finished(lines) == []
