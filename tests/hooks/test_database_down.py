"""PostgreSQL down: 503 at once, in each caller's own form; back again: everything goes on."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from django.db import InterfaceError, InternalError, OperationalError, connection

from integrations import inbox as box
from integrations.hooks.smart_coupon import CreateCouponHook
from merchants.models import DfireAccount, SmartCouponAccount
from tests.factories import DfireAccountFactory
from tests.hooks.helpers import (
    FORM,
    address_of,
    callback,
    callback_refused,
    create_push,
    give_push,
    made,
    post,
    refused,
    tell,
)

UNAVAILABLE = {"error": {"code": "unavailable", "message": "Try again in a moment."}}
BUSY = {"success": False, "resultCode": "009", "message": "Try again in a moment."}


def test_without_a_database_every_hook_says_503_at_once(web_without_database: str) -> None:
    account = DfireAccountFactory.build()
    form = urlencode(callback(account, "1")).encode()
    push = json.dumps(create_push()).encode()
    for path, body, media_type, answer in [
        ("/hooks/smart-coupon/any-token/coupon/", push, "application/json", UNAVAILABLE),
        (
            "/hooks/smart-coupon/any-token/coupon-detail/",
            json.dumps(give_push("1")).encode(),
            "application/json",
            UNAVAILABLE,
        ),
        ("/hooks/dfire/", form, FORM, BUSY),
    ]:
        began = time.monotonic()
        response = requests.post(
            f"http://{web_without_database}{path}", data=body, headers={"Content-Type": media_type}, timeout=10
        )
        assert (response.status_code, response.json()) == (503, answer)
        assert response.headers["Retry-After"] == "1"
        assert time.monotonic() - began < 2


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_a_database_lost_in_the_middle_is_503_and_leaves_nothing(
    platform: SmartCouponAccount, tills: DfireAccount, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    def lost(*args: Any, **kwargs: Any) -> Any:
        raise error("server closed the connection unexpectedly")

    before = made()
    monkeypatch.setattr(CreateCouponHook, "act", lost)
    assert refused(post(address_of(platform), create_push()))[:2] == (503, "unavailable")
    monkeypatch.setattr(box, "apply", lost)
    assert callback_refused(tell(callback(tills, "1")))[:2] == (503, "009")
    assert made() == before


@pytest.mark.django_db(transaction=True)
def test_after_a_lost_connection_the_next_push_is_taken(web: str, platform: SmartCouponAccount) -> None:
    url = f"http://{web}{address_of(platform)}"
    # One request after another: each worker thread that has a connection loses it.
    for amount in range(1, 6):
        assert requests.post(url, json=create_push(coupon_amount=amount), timeout=10).status_code == 200
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            assert cursor.fetchone()[0] >= 1
