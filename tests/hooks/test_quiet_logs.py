"""What must not be read elsewhere: tokens, secrets, signatures and whole mobile numbers, in logs and in answers."""

import logging
from typing import Any

import pytest
from django.test import override_settings

from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import issued, published
from tests.hooks.helpers import address_of, callback, create_push, give_push, post, tell
from tests.hooks.test_callers import DEAD_REDIS

pytestmark = pytest.mark.django_db
MOBILE = "13800138000"


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Any:
    """Everything that any logger says, with its arguments."""
    caplog.set_level(logging.DEBUG)
    for name in ("django.db.backends", "asyncio"):  # SQL is written in DEBUG alone
        caplog.set_level(logging.INFO, name)
    return lambda: "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


def test_pushes_leave_neither_token_nor_mobile_in_logs(
    platform: SmartCouponAccount, merchant: Merchant, heard: Any
) -> None:
    platform.developer_key = "developer-key-9"
    platform.save()
    coupon_id, url = published(merchant=merchant).coupon_id, address_of(platform, "coupon-detail")
    answers = [
        post(url, give_push(coupon_id)),
        post(url, give_push(coupon_id)),
        post(url, give_push("111")),
        post(url, give_push(coupon_id, expiration_time="2016-05-01 23:59:59")),
        post(url, give_push(coupon_id, merchant_id="99")),
        post(url, give_push(coupon_id, identifier=MOBILE * 20)),
        post(url, {MOBILE: 1, "identifier": [MOBILE]}),
        post(url, create_push(), "text/plain"),
        post(url, b"x" * 70_000),
        post(url + "?token=" + platform.token, b'{"identifier": "' + MOBILE.encode()),
        post(address_of(platform).replace(platform.token, platform.token + "x"), {}),
    ]
    with override_settings(CACHES=DEAD_REDIS):
        answers.append(post(url, give_push(coupon_id)))
    assert {answer.status_code for answer in answers} == {200, 400, 404, 413, 415}
    said = heard()
    assert "refused a call" in said
    for secret in (platform.token, platform.developer_key, MOBILE):
        assert secret not in said
        for answer in answers:
            assert secret not in answer.content.decode()
            assert secret not in str(answer.headers)


def test_callbacks_leave_no_secret_and_no_signature_in_logs(
    tills: DfireAccount, merchant: Merchant, heard: Any
) -> None:
    form = callback(tills, issued(published(merchant=merchant)).code, mobile=MOBILE)
    forged = {**form, "v": "2"}
    answers = [tell(form), tell(form), tell(forged), tell({**form, "sign": ""}), tell(b"sign=" + form["sign"].encode())]
    answers.append(tell(callback(tills, "1", timestamp="0", mobile=MOBILE)))
    assert {answer.status_code for answer in answers} == {200, 400, 401}
    said = heard()
    for secret in (tills.app_secret, form["sign"], MOBILE, form["openid"]):
        assert secret not in said
        assert all(secret not in answer.content.decode() for answer in answers)
