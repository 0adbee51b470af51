"""Whatever is told as a redemption: nothing that the account has not signed is kept, and what it has is kept whole."""

from typing import Any
from urllib.parse import quote_plus

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from integrations.dfire.signing import sign, verify
from integrations.hooks.dfire import LONGEST_VALUE
from tests.attack.budget import sent, tries
from tests.attack.state import State, changed, is_one_of, look
from tests.attack.values import words
from tests.attack.world import World
from tests.hooks.helpers import callback, tell

pytestmark = pytest.mark.django_db
NAMES = [
    "timestamp",
    "v",
    "method",
    "entityId",
    "promotionId",
    "openid",
    "thirdDeliverCode",
    "brandEntityId",
    "plateEntityId",
]
KEPT = {"integrations_dfirecallback": 1}
REDEEMED = {
    "integrations_dfirecallback": 1, "coupons_issuedcoupon": 0, "coupons_couponevent": (1, 2, 3),
    "coupons_dayfigures": (0, 1),
    "integrations_webhookdelivery": (1, 2), "coupons_coupontemplate": (0,), "integrations_outboxrow": (0,),
}  # fmt: skip


def written(form: dict[str, str] | list[tuple[str, str]]) -> bytes:
    """Form-encoded; half characters as what they would be."""
    pairs = form.items() if isinstance(form, dict) else form
    return "&".join(
        f"{quote_plus(n, errors='surrogatepass')}={quote_plus(v, errors='surrogatepass')}" for n, v in pairs
    ).encode()


def hear(world: World, before: State, body: bytes, *, forged: bool) -> int:
    """Tell it, judge what came of it, undo it."""
    with transaction.atomic():
        sent("callbacks")
        answer = tell(body)
        found, status, said = changed(before, look()), answer.status_code, answer.json()
        assert list(said) == ["success", "resultCode", "message"]
        if status == 200:
            assert not forged, body
            assert said["success"] is True
            assert found == KEPT or is_one_of(found, REDEEMED), (found, body)
            assert (tell(body).status_code, set(changed(before, look()))) == (200, set(found)), (
                "a repeat is counted alone"
            )
        else:
            assert status in (400, 401), (status, body)
            assert (said["success"], said["resultCode"]) in [(False, "011"), (False, "002"), (False, "013")], body
            assert (said["resultCode"] == "011") == (status == 401)
            assert found == {}, (found, body)
        transaction.set_rollback(True)
    return int(status)


@tries("signed callbacks", 1300)
@given(
    changes=st.dictionaries(st.sampled_from(NAMES) | words, words, max_size=4),
    gone=st.sets(st.sampled_from(NAMES), max_size=2),
    whose=st.integers(0, 4),
)
def test_any_signed_callback(world: World, before: State, changes: dict[str, str], gone: set[str], whose: int) -> None:
    form = {**callback(world.tills, world.codes[whose]), **changes}
    form = {name: value for name, value in form.items() if name not in gone and name != "sign"}
    try:
        form["sign"] = sign(form, world.tills.app_secret)
    except UnicodeEncodeError:
        form["sign"] = "0" * 40
    status = hear(world, before, written(form), forged=form.get("appKey") != world.tills.app_key)
    longest = max((len(form.get(name, "")) for name in NAMES), default=0)
    assert status != 200 or longest <= LONGEST_VALUE


@tries("forged callbacks", 1300)
@given(
    changes=st.dictionaries(st.sampled_from([*NAMES, "appKey", "sign", ""]) | words, words, min_size=1, max_size=3),
    whose=st.integers(0, 4),
)
def test_no_forged_callback(world: World, before: State, changes: dict[str, str], whose: int) -> None:
    right = callback(world.tills, world.codes[whose])
    form = {**right, **changes}
    if form != right:
        hear(world, before, written(form), forged=True)
        assert "" in form or not verify(form, world.tills.app_secret)


@tries("callbacks", 1300)
@given(data=st.data(), whose=st.integers(0, 4))
def test_any_form(world: World, before: State, data: st.DataObject, whose: int) -> None:
    right = list(callback(world.tills, world.codes[whose]).items())
    body = written(right)
    at = data.draw(st.integers(0, len(body)))
    spoiled: Any = st.sampled_from([
        body[:at], body[at:], body[:at] + b"\xff" + body[at:], body[:at] + b"%" + body[at:],
        body[:at] + b"\x00" + body[at:],
        body.replace(b"&", b";"), b"{" + body + b"}", body.upper(), body + b"&" + body.replace(b"1", b"2"),
        body + b"&sign=",
        body + b"&thirdDeliverCode=1", b"thirdDeliverCode=1&" + body, body + b"&x=" * 200, body.replace(b"=", b"%3D"),
        written([*right, ("thirdDeliverCode", "1")]), written([*right, ("thirdDeliverCode ", "1")]),
        body.decode().encode("utf-16"),
    ])  # fmt: skip
    noise = st.binary(max_size=150) | st.text(alphabet="&=%+;aA0sign\n", max_size=80).map(str.encode)
    sentence = data.draw(spoiled | noise)
    if sentence != body:
        hear(world, before, sentence, forged=True)
