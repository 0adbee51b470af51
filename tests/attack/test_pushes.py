"""Whatever a platform pushes, of any revision: refused with nothing left, or accepted with all that belongs to it."""

import json
import time
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import Push
from integrations.sandbox.signing import platform_sign_body, platform_sign_time
from integrations.smart_coupon.revisions import FIRST, SECOND, THIRD, Revision
from tests.attack.bodies import bodies
from tests.attack.budget import sent, tries
from tests.attack.state import State, changed, is_one_of, look
from tests.attack.values import words
from tests.attack.world import KEY, World, ahead, demand_signatures, disagreeing
from tests.hooks.helpers import post

pytestmark = pytest.mark.django_db
REFUSALS = {400, 401, 404, 409}
REVISIONS = pytest.mark.parametrize("revision", [FIRST, SECOND, THIRD], ids=lambda one: f"rev{one.number}")
MADE: dict[str, dict[str, Any]] = {
    "coupon": {
        "coupons_coupontemplate": 1, "coupons_templateversion": 1, "integrations_outboxrow": 1,
        "integrations_pushanswer": 1, "integrations_webhookdelivery": 1,
    },
    "coupon-detail": {
        "coupons_issuedcoupon": 1, "coupons_couponevent": (1, 2), "integrations_outboxrow": 1,
        "coupons_coupontemplate": 0,
        "integrations_pushanswer": 1, "integrations_webhookdelivery": 1, "merchants_customer": (0, 1),
        "coupons_dayfigures": 1,
    },
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", MADE)


class Raw(str):
    """A number's text as it is sent."""

    __slots__ = ()


def fields_of(kind: str, revision: Revision) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a push that may vary, and those that it needs."""
    amounts = st.sampled_from([10, 10.0, 7.5, 5, 0.5, 100, "10", 9.99, 0, -1, 12.34])
    worth = {"coupon_type": st.sampled_from([0, 0, 1, "0", 2]), "coupon_amount": amounts,
             revision.least_spend: st.sampled_from([0, 50, 50.5, "50", None])}  # fmt: skip
    ids = {"merchant_id": st.sampled_from(["88", "88", "88", 88, "99", "0088"])}
    if kind == "coupon-detail":
        needed = {
            revision.customer: "13800138000",
            "expiration_time": ahead(),
            revision.coupon: "@free",
            "merchant_id": "88",
        }
        coupons = [f"@{name}" for name in ("free", "free", "last", "gone", "ended", "theirs")]
        names = ["13800138000", "m-1", "m-new", "13900139000", 13900139000, "o-1", "会员１"]
        varied = {revision.customer: st.sampled_from(names), revision.coupon: st.sampled_from(coupons), **ids}
        ends = {"expiration_time": st.sampled_from([ahead(), ahead(days=400), ahead(seconds=-5), ahead(seconds=90)])}
        return {**varied, **ends, **(worth if revision.is_campaign else {})}, needed
    titles = {revision.title: st.sampled_from(["现金券", "券" * 30, "<b>", "a&coupon_amount=1"])}
    needed = {revision.title: "现金券", "coupon_amount": 10, "coupon_type": 0, "merchant_id": "88"}
    days = {"expiration_interval": st.sampled_from([1, 15, "15", 0, 3650, 3651, None])}
    if not revision.is_campaign:
        kinds = {
            "expiration_type": st.sampled_from([1, 2, "1"]),
            "expiration_time": st.sampled_from([ahead(), ahead(days=-1)]),
        }
        return {**worth, **ids, **titles, **days, **kinds}, {
            **needed, "expiration_type": 1, "expiration_time": ahead(), "expiration_interval": 3,
        }  # fmt: skip
    span = {"campaign_start_time": ahead(days=-1), "campaign_end_time": ahead()}
    limits = {"coupon_limit": st.sampled_from([0, 1, 100, "100", -1, 2**31])}
    return {**worth, **ids, **titles, **days, **limits}, {**needed, **span}


def aimed(body: bytes, world: World) -> bytes:
    """With the ids of what there is, where the body names it by its name."""
    for name in ("free", "last", "gone", "ended", "theirs"):
        body = body.replace(b'"@' + name.encode(), b'"' + getattr(world, name).coupon_id.encode())
    return body


def signed(body: bytes, revision: Revision, key: str = KEY) -> bytes:
    """Signed over exactly what it says, as far as it says anything; another signature in it stays, and makes it two."""
    try:
        fields = json.loads(body, parse_int=Raw, parse_float=Raw, parse_constant=str)
        assert isinstance(fields, dict)
        moment = str(int(time.time() * 1000))
        added = {"signature_time": moment} if revision is THIRD else {}
        told = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in fields.items()
            if value is not None
        }
        made = platform_sign_time(moment, key) if added else platform_sign_body(told, key)
    except (ValueError, AssertionError, RecursionError):
        return body
    tail = json.dumps({**added, "data_signature": made})[1:].encode()
    return body.rstrip()[:-1] + (b", " if fields else b"") + tail


def push(kind: str, world: World, body: bytes, before: State, revision: Revision, *, forged: bool = False) -> int:
    """Send it, judge what came of it, undo it."""
    url = f"/hooks/smart-coupon/{world.platform.token}/{kind}/"
    with transaction.atomic():
        sent("pushes")
        response = post(url, body)
        answer, status = response.json(), response.status_code
        found = changed(before, look())
        kept = Push.objects.latest("pk")
        assert kept.status == status, body
        if status == 200:
            assert not forged, body
            assert is_one_of(found, MADE[kind]), (found, body)
            said = answer.get("result", answer)
            made = CouponTemplate if kind == "coupon" else IssuedCoupon
            by = {
                "coupon_id" if kind == "coupon" else "code": next(
                    value for name, value in said.items() if name.endswith("_id")
                )
            }
            assert made.objects.filter(**by, merchant=world.merchant).exists(), (answer, body)
            assert disagreeing() == []
            assert (post(url, body).status_code, changed(before, look())) == (200, found), body
        else:
            assert status in REFUSALS, (status, body)
            assert found == {}, (status, found, body)
            assert (
                answer["error"]["message"]
                if "error" in answer
                else answer["return_code"] == "fail" and answer["return_msg"]
            )
            assert "result" not in answer
        transaction.set_rollback(True)
    return int(status)


@KINDS
@REVISIONS
@tries("pushes", 750, 6)
@given(data=st.data(), properly=st.sampled_from([True, True, True, False]))
def test_any_push(
    world: World, before: State, kind: str, revision: Revision, data: st.DataObject, properly: bool
) -> None:
    if revision is not FIRST and not world.platform.developer_key:
        demand_signatures(world.platform)
        before.update(look())
    body = aimed(data.draw(BODIES[kind, revision.number]), world)
    push(kind, world, signed(body, revision) if properly and revision is not FIRST else body, before, revision)


@KINDS
@tries("forged pushes", 600, 2)
@given(data=st.data(), revision=st.sampled_from([FIRST, SECOND, THIRD]), key=words)
def test_no_forged_push(
    world: World, before: State, kind: str, data: st.DataObject, revision: Revision, key: str
) -> None:
    if not world.platform.developer_key:
        demand_signatures(world.platform)
        before.update(look())
    body = aimed(data.draw(BODIES[kind, revision.number]), world)
    try:
        wrong = signed(body, revision if revision is not FIRST else THIRD, key="" if key == KEY else key)
    except UnicodeEncodeError:
        wrong = body
    push(kind, world, wrong, before, revision, forged=True)


BODIES = {
    (kind, revision.number): bodies(*fields_of(kind, revision))
    for kind in MADE
    for revision in (FIRST, SECOND, THIRD)
}  # fmt: skip
