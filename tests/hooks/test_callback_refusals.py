"""What is not a genuine callback: 401 and 400 in dfire's own form, nothing kept, nothing told to a forger."""

import string
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.utils import timezone

from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from integrations.dfire.signing import sign
from integrations.models import DfireCallback
from merchants.models import DfireAccount, Merchant
from tests.factories import DfireAccountFactory, issued, published
from tests.hooks.helpers import ABSENT, call, callback, callback_refused, post, tell

pytestmark = pytest.mark.django_db

FORGED = (401, "011", "签名错误 (signature or appKey)")
DAY_MS, MINUTE_MS = 24 * 3600 * 1000, 60 * 1000


@pytest.fixture
def coupon(merchant: Merchant) -> Any:
    """A coupon that is out, and is after each of these tests."""
    made = issued(published(merchant=merchant))
    yield made
    assert IssuedCoupon.objects.get().status == CouponStatus.ISSUED
    assert not DfireCallback.objects.exists()


def _another(char: str) -> str:
    return "1" if char == "0" else "0" if char in string.digits else "a" if char == "b" else "b"


def _mutations(form: dict[str, str]) -> list[dict[str, str]]:
    """Every single character of every name and value changed, dropped or doubled."""
    found = []
    for name, value in form.items():
        for at in range(len(value)):
            for new in (_another(value[at]), "", value[at] * 2, value[at].swapcase()):
                found.append({**form, name: value[:at] + new + value[at + 1 :]})
        others = {key: kept for key, kept in form.items() if key != name}
        found += [others, {**form, name: value + " "}, {**form, name: " " + value}, {**form, name: ""}]
        found += [{**others, name + "x": value}, {**others, name.upper() + "_": value}]
    return [changed for changed in found if changed != form]


def test_not_one_character_may_differ(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    form = callback(tills, coupon.code)
    mutations = _mutations(form)
    assert len(mutations) > 400
    for changed in mutations:
        assert callback_refused(tell(changed)) == FORGED, changed


def test_a_field_added_to_what_was_signed_is_refused(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    assert callback_refused(tell({**callback(tills, coupon.code), "more": ""})) == FORGED


def test_a_missing_an_unknown_and_another_accounts_key_look_alike(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    other = DfireAccountFactory(app_key="other", app_secret="other-secret")
    unknown = DfireAccountFactory.build(app_key="unknown", app_secret="x")
    no_one = DfireAccountFactory.build(app_key="unknown", app_secret=settings.SECRET_KEY)
    impostor = DfireAccountFactory.build(app_key=tills.app_key, app_secret=other.app_secret)
    empty = DfireAccountFactory.build(app_key=tills.app_key, app_secret="")
    answers = [
        tell(callback(unknown, coupon.code)),
        tell(callback(no_one, coupon.code)),
        tell(callback(impostor, coupon.code)),
        tell(callback(empty, coupon.code)),
        tell(callback(tills, coupon.code, appKey=ABSENT)),
        tell({**callback(tills, coupon.code), "sign": ""}),
        tell({name: value for name, value in callback(tills, coupon.code).items() if name != "sign"}),
        tell({}),
        tell({"appKey": "x" * 60_000}),
    ]
    assert {callback_refused(answer) for answer in answers} == {FORGED}
    assert len({answer["X-Request-ID"] for answer in answers}) == len(answers)
    for answer in answers:
        del answer["X-Request-ID"]
    assert len({(answer.content, tuple(sorted(answer.items()))) for answer in answers}) == 1


@pytest.mark.parametrize("bad", ["lower", "0" * 40, "x" * 40, "签" * 40, "0", "0" * 5000])
def test_a_signature_in_another_form_is_refused(tills: DfireAccount, coupon: IssuedCoupon, bad: str) -> None:
    form = callback(tills, coupon.code)
    form["sign"] = form["sign"].lower() if bad == "lower" else bad
    assert callback_refused(tell(form)) == FORGED


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        *[("", "002"), ("x", "002"), ("1.5e12", "002"), ("1476255107097.0", "002"), (" {now}", "002")],
        *[("{now}\n", "002"), ("١٤٧٦٢٥٥١٠٧٠٩٧", "002"), ("0x1", "002"), ("+{now}", "002"), ("--1", "002")],
        *[("0", "013"), ("-1", "013"), ("1476255107097", "013"), ("{now}0", "013"), ("{now}000", "013")],
        *[("9" * 15, "013"), ("9" * 16, "013"), ("9" * 200, "013"), ("9" * 30_000, "013"), ("{seconds}", "013")],
    ],
)
def test_a_time_that_is_none_or_out_of_bounds_is_named(
    tills: DfireAccount, coupon: IssuedCoupon, timestamp: str, code: str
) -> None:
    now = time.time()
    told = timestamp.format(now=int(now * 1000), seconds=int(now))
    status, result, message = callback_refused(tell(callback(tills, coupon.code, timestamp=told)))
    assert (status, result) == (400, code)
    assert message.startswith("timestamp: ")


@pytest.mark.parametrize("off_ms", [-7 * DAY_MS - 2000, 10 * MINUTE_MS + 2000])
def test_seven_days_ago_and_ten_minutes_ahead_are_the_bounds(
    tills: DfireAccount, coupon: IssuedCoupon, off_ms: int
) -> None:
    told = str(int(time.time() * 1000) + off_ms)
    assert callback_refused(tell(callback(tills, coupon.code, timestamp=told)))[:2] == (400, "013")


def test_the_bounds_themselves_are_inside(tills: DfireAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now().replace(microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: now)
    milliseconds = int(now.timestamp() * 1000)
    for off, status in [(-7 * DAY_MS, 200), (-7 * DAY_MS - 1, 400), (10 * MINUTE_MS, 200), (10 * MINUTE_MS + 1, 400)]:
        told = str(milliseconds + off)
        assert tell(callback(tills, "123", timestamp=told)).status_code == status, off


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("method", ABSENT), ("method", ""), ("method", "dfire.shop.deliver.promotion"), ("method", "x" * 500)],
        *[("timestamp", ABSENT), ("thirdDeliverCode", ABSENT), ("thirdDeliverCode", ""), ("thirdDeliverCode", "\n ")],
        *[("thirdDeliverCode", "1" * 65), ("thirdDeliverCode", "1" * 201), ("entityId", "1" * 201)],
        *[("promotionId", "x" * 201), ("openid", "x" * 201), ("plateEntityId", "x" * 60_000)],
    ],
)
def test_a_signed_callback_with_a_wrong_field_is_named(
    tills: DfireAccount, coupon: IssuedCoupon, field: str, value: Any
) -> None:
    changes = {"thirdDeliverCode": coupon.code, field: value}
    form = callback(tills, changes.pop("thirdDeliverCode"), **changes)
    status, result, message = callback_refused(tell(form))
    assert (status, result) == (400, "002")
    assert message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("a", ""),
        ("&", ""),
        ("a=1&", ""),
        ("=x", "no name"),
        ("a=1&=", "no name"),
        ("{}", ""),
        ('{"appKey": "x"}', ""),
        ("a=%ff", "UTF-8"),
        ("a=%ED%A0%80", "UTF-8"),
        ("a=\xff", "UTF-8"),
        ("a=%00", "a: "),
        ("%00=1", "\ufffd: "),
        ("%00=1&%00=2", "\ufffd: "),
        ("sign=1&sign=2", "sign: "),
        ("plateEntityId=1&plateEntityId=2", "plateEntityId: "),
        ("&".join(f"a{n}=1" for n in range(101)), ""),
    ],
)
def test_what_is_no_form_is_bad_content(tills: DfireAccount, body: str, says: str) -> None:
    status, result, message = callback_refused(tell(body.encode("latin-1")))
    assert (status, result) == (400, "002")
    assert says in message


def test_an_empty_body_is_not_signed(tills: DfireAccount) -> None:
    assert callback_refused(tell(b"")) == FORGED


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_another_media_type_is_bad_content(tills: DfireAccount, coupon: IssuedCoupon, media_type: str) -> None:
    raw = urlencode(callback(tills, coupon.code)).encode()
    assert callback_refused(tell(raw, media_type))[:2] == (400, "002")


def test_64_kib_are_read_and_one_byte_more_is_bad_content(tills: DfireAccount) -> None:
    form = callback(tills, "1")
    del form["sign"]
    room = 65_536 - len(urlencode({**form, "sign": "0" * 40, "more": ""}))
    for size, status in [(room, 200), (room + 1, 400)]:
        signed = {**form, "more": "x" * size}
        assert tell({**signed, "sign": sign(signed, tills.app_secret)}).status_code == status


def test_another_method_is_405_in_the_same_form(tills: DfireAccount) -> None:
    for method in ("GET", "PUT", "OPTIONS"):
        assert callback_refused(call(method, "/hooks/dfire/"))[0] == 405


def test_a_push_sent_to_dfires_address_is_refused(tills: DfireAccount) -> None:
    assert callback_refused(post("/hooks/dfire/", {"coupon_name": "x"}))[:2] == (400, "002")
