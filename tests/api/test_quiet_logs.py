"""The log says what was answered and to whom, and names no customer."""

import logging

import pytest

from integrations.partner_api import customers
from merchants.models import Merchant
from tests.api.caller import Caller

pytestmark = pytest.mark.django_db
NAME = "o3Pm6uD6KVkNobodyMayRead"


def test_no_line_names_a_customer(
    api: Caller, merchant: Merchant, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"customers/{NAME}/"
    assert api.put(path, {"merchant_id": "88"}).status_code == 200
    assert api.put(path, {}).status_code == 400
    assert api.put(path, {"merchant_id": "none"}).status_code == 404
    assert api.get(path).status_code == 405
    monkeypatch.setattr(customers, "customer_shape", lambda *_args: 1 / 0)
    assert api.put(path, {"merchant_id": "88"}).status_code == 500
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert not [line for line in ours if NAME in line]
    assert any("mini-program" in line for line in ours)
    faults = [line for line in ours if "ZeroDivisionError" in line or "request_failed" in line]
    assert faults, "a fault of ours is told with its traceback"
