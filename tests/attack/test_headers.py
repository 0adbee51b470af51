"""Whatever stands in the headers: who calls, what kind of body it is, how long it is, from where."""

from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.attack.budget import sent, tries
from tests.attack.state import State, changed, look
from tests.attack.test_calls import sendable
from tests.attack.values import text_of, words
from tests.attack.world import World
from tests.hooks.helpers import call, callback, create_push

pytestmark = pytest.mark.django_db
SCHEMES = ["Api-Key", "api-key", "API-KEY", "Bearer", "Basic", "Api-Key Api-Key", "Api_Key", "", "Token"]
MEDIA = st.sampled_from([
    "application/json", "application/json; charset=utf-8", "application/json; charset=utf-16", "APPLICATION/JSON",
    "text/json",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "", "*/*",
    "application/json,text/plain",
    "application/merge-patch+json", "application/json\t", ";", "image/png",
])  # fmt: skip
LENGTHS = st.sampled_from([None, "", "0", "-1", "5", "1e9", "٣", "65536", "65537", "9" * 30, "+5", " 5", "0x5", "NaN"])
OTHERS = {
    "HTTP_X_FORWARDED_FOR": words, "HTTP_ACCEPT": words, "HTTP_ACCEPT_LANGUAGE": words, "HTTP_ACCEPT_ENCODING": words,
    "HTTP_X_REQUEST_ID": words, "HTTP_COOKIE": words, "HTTP_ORIGIN": words, "HTTP_REFERER": words,
    "HTTP_RANGE": words,
    "HTTP_X_HTTP_METHOD_OVERRIDE": st.sampled_from(["DELETE", "PUT"]), "HTTP_IF_NONE_MATCH": words,
    "HTTP_EXPECT": words,
    "HTTP_TRANSFER_ENCODING": st.just("chunked"), "HTTP_CONTENT_ENCODING": st.sampled_from(["gzip", "deflate"]),
    "REMOTE_ADDR": st.sampled_from(["", "unix:", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "999.1.1.1", "127.0.0.1"]),
    "HTTP_X_FORWARDED_PROTO": words, "HTTP_X_FORWARDED_HOST": words, "QUERY_STRING": words,
}  # fmt: skip


@st.composite
def headers(draw: st.DrawFn) -> dict[str, str]:
    """Some headers, each of which a server would hand on."""
    chosen = draw(st.fixed_dictionaries({}, optional=OTHERS))
    told = {name: sendable(value) for name, value in chosen.items()}
    kept = {name: value for name, value in told.items() if value is not None}
    if (length := draw(LENGTHS)) is not None:
        kept["CONTENT_LENGTH"] = length
    return kept


@tries("keys", 1300)
@given(
    scheme=st.sampled_from(SCHEMES), key=words | st.sampled_from(["@", "@x", "x@", "@ @", "@\t", "@,@"]), more=headers()
)
def test_no_other_key_opens_anything(world: World, before: State, scheme: str, key: str, more: dict[str, str]) -> None:
    told = sendable(f"{scheme} {key.replace('@', world.api.key)}")
    path, body = f"/api/v1/coupons/{world.waiting.code}/revoke/", b'{"reason": "r"}'
    right = told is not None and scheme.lower() == "api-key" and told.partition(" ")[2].strip() == world.api.key
    with transaction.atomic():
        sent("keys")
        answer = _send(path, body, **more, **({"HTTP_AUTHORIZATION": told} if told is not None else {}))
        assert answer.status_code in ({200, 400, 413} if right else {400, 401, 413}), (told, more)
        assert right or changed(before, look()) == {}
        if not right:
            assert answer.json()["errors"][0]["code"] in (
                "not_authenticated",
                "authentication_failed",
                "parse_error",
                "too_large",
            )
        transaction.set_rollback(True)


@tries("headers", 1300)
@given(
    media=MEDIA, more=headers(), where=st.sampled_from(["api", "coupon", "coupon-detail", "dfire"]),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE", "post"]),
)  # fmt: skip
def test_any_headers(world: World, before: State, media: str, more: dict[str, str], where: str, method: str) -> None:
    if where == "api":
        path, body = f"/api/v1/coupons/{world.held.code}/check/", b"{}"
        more = {**more, "HTTP_AUTHORIZATION": f"Api-Key {world.api.key}"}
    elif where == "dfire":
        path, body = "/hooks/dfire/", urlencode(callback(world.tills, world.held.code)).encode()
    else:
        path, body = f"/hooks/smart-coupon/{world.platform.token}/{where}/", text_of(create_push()).encode()
    with transaction.atomic():
        sent("headers")
        answer = _send(path, body, method=method, media=media, **more)
        assert answer.status_code in {200, 400, 401, 403, 404, 405, 413, 415}, (answer.status_code, answer.content)
        if answer.status_code != 200:
            assert changed(before, look()) == {}
        if method != "HEAD":
            assert answer["Content-Type"].startswith("application/json"), answer.content
        transaction.set_rollback(True)


def _send(path: str, body: bytes, *, method: str = "POST", media: str = "application/json", **meta: Any) -> Any:
    """As a server hands it on, which may know less of the body than its length says."""
    return call(method, path, body, content_type=media, **{"wsgi.input": BytesIO(body), **meta})
