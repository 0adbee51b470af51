"""Every change of one character to a signed message is refused, or it means the same and then does nothing more.

What means the same is judged here by readers of the standard library, not by the portal's:

- in a form, what is decoded to the same fields (`%2b` and `%2B`, a field that comes twice alike);
- in JSON, what is read as equal (blanks between tokens), and the case of a signature's hex digits;
- of revision 3 everything else than the signature is unsigned: there the push that came first is what stands, and
  another under the same moment is refused (a changed push that is *first* is taken: PROTOCOLS §2, docs/hooks.md);
- of a webhook the moment as a number and the signature as the bytes that its base64 stands for.
"""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from integrations.dfire.signing import sign
from integrations.models import DfireCallback
from integrations.models.inbox import UNSETTLED_STATES
from integrations.sandbox.signing import dfire_signed_rightly
from integrations.webhooks.signing import headers, new_secret
from merchants.models import DfireAccount
from tests.attack.edits import edits
from tests.attack.state import State, changed, look
from tests.attack.world import KEY, World, demand_signatures
from tests.factories import issued
from tests.hooks.helpers import callback, post, tell
from tests.hooks.revisions import campaign, grant, raw, signed

REPEATED = {"integrations_dfirecallback": 0}


def form_of(body: str) -> dict[str, str] | None:
    """The fields of a form; None where there is none, or where one has two values."""
    try:
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if all(fields[name] == value for name, value in pairs) else None


def object_of(body: str) -> Any:
    """The JSON object, the case of its signature aside; None where there is none, or a name comes twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("twice")
        return dict(pairs)

    try:
        read = json.loads(body, object_pairs_hook=once)
    except ValueError:
        return None
    if isinstance(read, dict) and isinstance(read.get("data_signature"), str):
        read["data_signature"] = read["data_signature"].upper()
    return read


@pytest.mark.django_db
def test_a_callback(world: World) -> None:
    form = callback(world.tills, f"\n {world.held.code}", openid="o3Pm/6+uD=6 é", plateEntityId="")
    body = urlencode(form)
    assert tell(body.encode()).status_code == 200
    stood, fields = look(), form_of(body)
    same = 0
    for how, made in edits(body):
        response = tell(made.encode("utf-8"))
        found = changed(stood, look())
        if form_of(made) == fields:
            same += 1
            assert (response.status_code, found) == (200, REPEATED), how
            stood = look()
        else:
            assert response.status_code in (400, 401), (how, made)
            assert found == {}, (how, made)
    assert 0 < same < 40, "the small letters of percent-encoding, and hardly anything else"


@pytest.mark.django_db
def test_a_callback_written_otherwise_is_the_same_callback(world: World) -> None:
    form = callback(world.tills, world.held.code, openid="o3Pm/6+uD=6 é~")
    assert tell(urlencode(form).encode()).status_code == 200
    once = DfireCallback.objects.get()
    ways = [
        urlencode(dict(reversed(form.items()))),
        urlencode(form, quote_via=quote),
        urlencode(form, safe="/~"),
        "&".join(f"{n}={''.join(f'%{byte:02x}' for byte in v.encode())}" for n, v in form.items()),
        f"{urlencode(form)}&openid={quote(form['openid'])}",
    ]
    for times, way in enumerate(ways, 1):
        assert tell(way.encode()).status_code == 200, way
        again = DfireCallback.objects.get()
        assert (again.repeats, again.parameters, again.digest) == (times, once.parameters, once.digest)


SIGNATURES: dict[str, Callable[[str], list[tuple[str, str]]]] = {
    "small letters": lambda sign: [("sign", sign.lower())],
    "blank behind": lambda sign: [("sign", f"{sign} ")],
    "blank before": lambda sign: [("sign", f" {sign}")],
    "line behind": lambda sign: [("sign", f"{sign}\n")],
    "cut": lambda sign: [("sign", sign[:-1])],
    "longer": lambda sign: [("sign", f"{sign}0")],
    "twice": lambda sign: [("sign", sign + sign)],
    "empty": lambda sign: [("sign", "")],
    "none": lambda sign: [],
    "wrong, then right": lambda sign: [("sign", "0" * 40), ("sign", sign)],
    "right, then wrong": lambda sign: [("sign", sign), ("sign", "0" * 40)],
    "under another name": lambda sign: [("Sign", sign)],
    "full width": lambda sign: [("sign", "".join(chr(ord(char) + 0xFEE0) for char in sign))],
    "as a list": lambda sign: [("sign[]", sign)],
    "with one more field": lambda sign: [("sign", sign), ("more", "1")],
    "with one more that is empty": lambda sign: [("sign", sign), ("more", "")],
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("way", SIGNATURES)
def test_a_callback_whose_signature_is_nearly_right(world: World, before: State, way: str) -> None:
    form = callback(world.tills, world.held.code)
    right = form.pop("sign")
    response = tell(urlencode([*form.items(), *SIGNATURES[way](right)]).encode())
    assert response.status_code in (400, 401)
    assert changed(before, look()) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("moved", ["all", "sign", "thirdDeliverCode"])
def test_what_stands_in_the_address_is_not_part_of_a_callback(world: World, before: State, moved: str) -> None:
    form = callback(world.tills, world.held.code)
    there = {name: value for name, value in form.items() if moved in ("all", name)}
    rest = {name: value for name, value in form.items() if name not in there}
    address = f"/hooks/dfire/?{urlencode(there)}"
    assert post(address, urlencode(rest).encode(), "application/x-www-form-urlencoded").status_code in (400, 401)
    assert changed(before, look()) == {}
    beside = urlencode({**there, "thirdDeliverCode": "1"})
    assert (
        post(f"/hooks/dfire/?{beside}", urlencode(form).encode(), "application/x-www-form-urlencoded").status_code
        == 200
    )
    assert DfireCallback.objects.get().code == world.held.code


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["entityId", "promotionId", "openid", "brandEntityId", "plateEntityId", "v", "thirdDeliverCode"]
)
def test_a_border_moved_between_name_and_value_is_no_genuine_callback(world: World, before: State, name: str) -> None:
    """Names and values are signed run together: the gateway's formula does not see where one ends."""
    form = callback(world.tills, world.held.code)
    value = form.pop(name)
    for at in range(1, len(value) + 1):
        moved = {**form, name + value[:at]: value[at:]}
        assert dfire_signed_rightly(moved, world.tills.app_secret), "dfire's formula takes it"
        assert tell(moved).status_code == 401, moved
    swallowed = {**callback(world.tills, world.held.code)}
    swallowed["brandEntityId"] += "entityId" + swallowed.pop("entityId")
    assert dfire_signed_rightly(swallowed, world.tills.app_secret)
    assert tell(swallowed).status_code == 401
    assert changed(before, look()) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["entityId", "promotionId", "openid", "brandEntityId", "plateEntityId", "v"])
def test_a_genuine_callback_may_lack_what_dfire_may_leave_out(world: World, name: str) -> None:
    form = callback(world.tills, world.held.code)
    del form[name], form["sign"]
    form["newField"] = "1"
    assert tell({**form, "sign": sign(form, world.tills.app_secret)}).status_code == 200


@pytest.mark.django_db
def test_another_account_s_valid_signature_redeems_nothing_of_this_merchant_s(world: World) -> None:
    theirs = DfireAccount.objects.get(pk=world.other.dfire_account_id)
    form = callback(theirs, world.held.code)
    for _ in range(2):
        assert tell(form).status_code == 200
    kept = DfireCallback.objects.get()
    assert (kept.account, kept.state in UNSETTLED_STATES) == (theirs, True), "it waits in the inbox"
    world.held.refresh_from_db()
    assert world.held.status == "issued"
    crossed = {**callback(theirs, world.held.code), "appKey": world.tills.app_key}
    assert tell(crossed).status_code == 401


@pytest.mark.django_db
def test_replays_and_the_edges_of_time(world: World, settings: Any) -> None:
    now = time.time()
    edges = {
        -settings.CALLBACK_OLDEST_SECONDS + 60: 200, -settings.CALLBACK_OLDEST_SECONDS - 60: 400,
        settings.CALLBACK_AHEAD_SECONDS - 60: 200, settings.CALLBACK_AHEAD_SECONDS + 60: 400,
    }  # fmt: skip
    for away, status in edges.items():
        coupon = issued(world.free)
        form = callback(world.tills, coupon.code, timestamp=str(int((now + away) * 1000)))
        assert tell(form).status_code == status, away
        coupon.refresh_from_db()
        assert coupon.status == ("redeemed" if status == 200 else "issued")
    form = callback(world.tills, world.held.code)
    tell(form)
    stood = look()
    for name, value in {"nonce": "2", "timestamp": str(int(now * 1000) + 1), "X-Request-ID": "2"}.items():
        assert tell({**form, name: value}).status_code == 401, "under the same signature"
    assert tell(form, headers={"X-Request-ID": "another"}).status_code == 200
    assert changed(stood, look()) == REPEATED


@pytest.mark.django_db
@pytest.mark.parametrize(("revision", "kind"), [(2, "coupon"), (2, "coupon-detail"), (3, "coupon-detail")])
def test_a_push(world: World, revision: int, kind: str) -> None:
    demand_signatures(world.platform)
    push = campaign(revision) if kind == "coupon" else grant(world.free.coupon_id, revision, min_purchase_price=50)
    body = raw(signed(push, revision, key=KEY)).decode()
    url = f"/hooks/smart-coupon/{world.platform.token}/{kind}/"
    first = post(url, body.encode())
    assert first.status_code == 200, first.content
    stood, read = look(), object_of(body)
    same = 0
    for how, made in edits(body):
        response = post(url, made.encode())
        assert changed(stood, look()) == {}, (how, made)
        if response.status_code == 200:
            assert response.json() == first.json(), how
            assert revision == 3 or object_of(made) == read, how
            same += 1
        else:
            assert response.status_code in (400, 401, 404, 409), (how, made)
            assert object_of(made) != read or object_of(made) is None, (how, "means the same, and is refused")
    assert same > 10, "blanks between tokens"


def _hash(signature: str) -> bytes | None:
    """What a signature of version 1 is in bytes."""
    version, _comma, text = signature.partition(",")
    try:
        return base64.b64decode(text) if version == "v1" else None
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_webhook(part: str) -> None:
    """As a partner's own library judges it, by docs/webhooks.md."""
    secret = new_secret()
    body = '{"type": "coupon.redeemed", "timestamp": "2026-11-28T12:00:00+08:00", "data": {"code": "9170616980313735"}}'
    told = headers("msg_8f1c", body, [secret], datetime.now(UTC))
    library = Webhook(secret)
    library.verify(body, told)
    message = {**told, "body": body}
    tried = 0
    for how, made in edits(message[part]):
        changed_one = {**message, part: made}
        tried += 1
        if part == "webhook-signature" and any(_hash(one) == _hash(told[part]) for one in made.split(" ")):
            continue  # still those 32 bytes: a blank behind, or what base64 passes over
        if part == "webhook-timestamp" and _whole(made) == int(told[part]):
            continue  # the same moment
        try:
            library.verify(changed_one["body"], {name: value for name, value in changed_one.items() if name != "body"})
        except (WebhookVerificationError, ValueError):
            continue
        pytest.fail(f"{how}: {made}")
    assert tried > 40
