"""The signature tool: the published examples come out right in it, slips are named, and no secret is shown."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils.translation import override
from standardwebhooks import Webhook

from integrations.dfire.signing import sign
from integrations.models import WebhookEndpoint
from integrations.signatures import dfire, smart_coupon, webhooks
from integrations.signatures.differences import difference
from integrations.signatures.reports import Unreadable, Verdict
from merchants.models import DfireAccount, SmartCouponAccount
from tests.admin.conftest import World
from tests.admin.pages import trail_of
from tests.factories import DfireAccountFactory, SmartCouponAccountFactory

VECTORS = Path(settings.BASE_DIR) / "tests/vectors"
DFIRE = json.loads((VECTORS / "dfire_sign.json").read_text())["cases"]
PUSHES = json.loads((VECTORS / "smartcoupon_sign.json").read_text())["cases"]
PARAMS = {"appKey": "k", "method": "m", "timestamp": "1", "v": "1.0", "title": " 9折 a+b ", "dynamicDate": ""}
SECRET, KEY = "s3cr3t-of-dfire", "developer-key-1"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type":"coupon.redeemed","data":{"code":"1","title":"券"}}'
AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What is said is read here."""
    with override("en"):
        yield


def page(kind: str) -> str:
    """The address of a kind's form."""
    return f"/admin/integrations/apicall/signatures/?kind={kind}"


def about_dfire(params: dict[str, str], **more: Any) -> Any:
    """What is said of these parameters under SECRET."""
    return dfire.examine(urlencode(params), SECRET, app_key="k", **more)


@pytest.mark.parametrize("case", DFIRE, ids=lambda case: case["name"])
def test_dfires_examples_are_right(case: dict[str, Any]) -> None:
    report = dfire.examine(
        urlencode({**case["params"], "sign": case["sign"]}), case["secret"], app_key=case["params"]["appKey"]
    )
    assert (report.verdict, report.expected, report.hints) == (Verdict.RIGHT, [case["sign"]], [])


@pytest.mark.parametrize("case", PUSHES, ids=lambda case: f"{case['name']}-{case['revision']}")
def test_the_platforms_examples_are_right(case: dict[str, Any]) -> None:
    report = smart_coupon.examine(json.dumps(case["body"], ensure_ascii=False), case["developer_key"])
    assert report.verdict is Verdict.RIGHT
    assert case["body"]["data_signature"] in report.expected
    assert len(report.canonical) == len(report.expected)
    assert dict(report.facts)["revision"] == str(case["revision"])


def signed_webhook(secret: str | bytes = WEBHOOK_SECRET, body: str = BODY) -> str:
    """Headers as a partner receives them."""
    signature = Webhook(secret).sign("msg_1", AT, body)
    return f"Webhook-Id: msg_1\nwebhook-timestamp: {int(AT.timestamp())}\nwebhook-signature: {signature}"


def test_a_webhook_of_the_library_is_right_and_also_with_two_signatures() -> None:
    assert webhooks.examine(signed_webhook(), BODY, [WEBHOOK_SECRET]).verdict is Verdict.RIGHT
    assert webhooks.examine(f"{signed_webhook()} v1,bm9wZQ==", BODY, [WEBHOOK_SECRET]).verdict is Verdict.RIGHT
    assert webhooks.examine(signed_webhook(), BODY, ["whsec_" + "bmV3" * 8, WEBHOOK_SECRET]).verdict is Verdict.RIGHT
    assert webhooks.examine(signed_webhook(), BODY + " ", [WEBHOOK_SECRET]).verdict is Verdict.WRONG


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (sign(PARAMS, SECRET).lower(), "Only upper and lower case differ"),
        (sign(PARAMS, SECRET) + " ", "blanks or line breaks around the signature"),
        (sign(PARAMS, SECRET)[:32], "has 40 hexadecimal digits; the given one has 32"),
        (sign(PARAMS, f"{SECRET} "), "a blank behind the secret"),
        (sign(PARAMS, f"{SECRET}\n"), "a line break behind the secret"),
        (sign(PARAMS, SECRET.upper()), "the secret in upper case"),
        (sign(PARAMS, "other-s3cr3t"), "the secret of branch"),
        (sign({name: value.strip() for name, value in PARAMS.items()}, SECRET), "without the blanks around"),
        (sign({**PARAMS, "title": "+9%E6%8A%98+a%2Bb+"}, SECRET), "values with + for blanks"),
        (sign({**PARAMS, "title": "%209%E6%8A%98%20a%2Bb%20"}, SECRET), "percent-encoded values"),
        (sign({name: value for name, value in PARAMS.items() if value}, SECRET), "the fields that are empty"),
        (sign({name: value for name, value in PARAMS.items() if name != "v"}, SECRET), "left out the field v"),
        (sign({**PARAMS, "title": " 9折 a+b ".encode().decode("latin-1")}, SECRET), "read as Latin-1"),
        (sign({**PARAMS, "method": "another"}, SECRET), "None of the usual slips"),
    ],
)
def test_the_slip_that_made_a_dfire_signature_is_named(signature: str, words: str) -> None:
    report = about_dfire({**PARAMS, "sign": signature}, others={"branch": "other-s3cr3t"})
    assert report.verdict is Verdict.WRONG
    assert words in " ".join(map(str, report.hints))


def test_an_address_is_read_and_a_signature_beside_it() -> None:
    address = f"https://open.2dfire.com/router?{urlencode(PARAMS)}\n"
    assert dfire.examine(address, SECRET, app_key="k", given=sign(PARAMS, SECRET)).verdict is Verdict.RIGHT
    assert dfire.examine(address, SECRET, app_key="k").verdict is Verdict.MISSING
    assert "appKey is not this account's: k" in str(dfire.examine(address, SECRET, app_key="x").hints[0])


@pytest.mark.parametrize("message", ["no form", "a=1&a=2", "a=%ff", "a=1&" * 200])
def test_what_is_no_form_is_said(message: str) -> None:
    with pytest.raises(Unreadable):
        dfire.examine(message, SECRET, app_key="k")


def test_the_first_difference_is_shown_with_its_characters() -> None:
    found = about_dfire(
        PARAMS, theirs=f"{SECRET}appKeykdynamicDatemethodmtimestamp1title\u00a09折 a+b v1.0{SECRET}"
    ).difference
    assert (found.before[-5:], found.our_character, found.their_character) == (
        "title", "U+0020 blank", "“\u00a0” U+00A0 no-break space",
    ) or found.their_character == "U+00A0 no-break space"  # fmt: skip
    assert SECRET not in f"{found}"
    assert about_dfire(PARAMS, theirs="appKeykdynamicDatemethodmtimestamp1title 9折 a+b v1.0").difference is None


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("a1b2", "a1 b2\n", "Only blanks or line breaks"),
        ("aB", "Ab", "Only upper and lower case"),
        ("a券", "a%E5%88%B8", "percent-encoded"),
        ("a b", "a+b", "+ for blanks"),
        ("a1", "a１", "Full-width"),
        ("b2a1", "a1b2", "another order"),
        ("a1b2c3", "a1b2", "a part of ours"),
    ],
)
def test_differences_are_explained(ours: str, theirs: str, words: str) -> None:
    found = difference(ours, theirs)
    assert found is not None
    assert words in " ".join(map(str, found.hints))


PUSH = {"merchant_id": "88", "coupon_name": "n ", "coupon_amount": 10, "campaign_id": "3", "note": "", "gone": None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "campaign_id=3&coupon_amount=10.0&coupon_name=n &merchant_id=88&note=&key={key} ",
            "a blank behind the secret",
        ),
        ("campaign_id=3&coupon_amount=10.0&coupon_name=n &merchant_id=88&key={key}", "the fields that are empty"),
        ("campaign_id=3&coupon_amount=10.0&coupon_name=n &gone=null&merchant_id=88&note=&key={key}", "the word null"),
        ("campaign_id=3&coupon_amount=10&coupon_name=n&merchant_id=88&note=&key={key}", "without the blanks"),
        ("coupon_amount=10&coupon_name=n &merchant_id=88&note=&key={key}", "left out the field campaign_id"),
        ("campaign_id=3&coupon_amount=10&coupon_name=n &merchant_id=88&note=&key=", "without a secret"),
    ],
)
def test_the_slip_that_made_a_pushs_signature_is_named(text: str, words: str) -> None:
    signature = hashlib.md5(text.format(key=KEY).encode(), usedforsecurity=False).hexdigest()
    report = smart_coupon.examine(json.dumps({**PUSH, "data_signature": signature}), KEY)
    assert report.verdict is Verdict.WRONG
    assert words in " ".join(map(str, report.hints))


def test_a_push_knows_its_revision_or_is_told_it() -> None:
    first = smart_coupon.examine('{"coupon_id": "1"}', KEY)
    assert (first.verdict, first.expected) == (Verdict.NOT_SIGNED, [])
    third = smart_coupon.examine('{"signature_time": "1469707218373"}', KEY)
    assert (third.verdict, third.canonical, third.around[0]) == (Verdict.MISSING, ["1469707218373"], "‹…›")
    assert "2016-07-28 12:00:18 UTC" in str(third.hints[0]), "and it is long ago"
    told = smart_coupon.examine('{"signature_time": "1469707218373"}', KEY, revision=2)
    assert told.canonical == ["signature_time=1469707218373"]
    with pytest.raises(Unreadable):
        smart_coupon.examine("[]", KEY)


def test_of_several_ways_the_nearest_is_compared() -> None:
    theirs = "campaign_id=3&coupon_amount=10.0&coupon_name=n &merchant_id=88&note=x"
    found = smart_coupon.examine(json.dumps(PUSH), KEY, theirs=theirs + f"&key={KEY}").difference
    assert found is not None
    assert (found.our_character, found.theirs) == ("the end of the text", "x")


@pytest.mark.parametrize(
    ("secret", "body", "words"),
    [
        (WEBHOOK_SECRET.encode(), BODY, "the secret as text"),
        ("whsec_b3RoZXItb3RoZXItb3RoZXI=", BODY, "the secret of other"),
        (WEBHOOK_SECRET, BODY + "\n", "a line break behind it"),
        (WEBHOOK_SECRET, json.dumps(json.loads(BODY)), "written anew from its JSON"),
        (WEBHOOK_SECRET, "another", "None of the usual slips"),
    ],
)
def test_the_slip_that_made_a_webhooks_signature_is_named(secret: Any, body: str, words: str) -> None:
    others = {"other": "whsec_b3RoZXItb3RoZXItb3RoZXI="}
    report = webhooks.examine(signed_webhook(secret, body), BODY, [WEBHOOK_SECRET], others=others)
    assert report.verdict is Verdict.WRONG
    assert words in " ".join(map(str, report.hints))


@pytest.mark.parametrize("headers", ["", "webhook-id: 1", "webhook-id: 1\nwebhook-timestamp: soon", "nonsense"])
def test_headers_that_are_missing_are_named(headers: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        webhooks.examine(headers, BODY, [WEBHOOK_SECRET])
    assert refusal.value.field == "headers"


@pytest.mark.django_db
def test_the_page_says_it_shows_no_secret_and_leaves_a_line(root: Client) -> None:
    account = DfireAccountFactory(name="signing", app_key="k", app_secret=SECRET)
    given = {**PARAMS, "sign": sign(PARAMS, f"{SECRET} ")}
    sent = {"account": account.pk, "message": urlencode(given), "theirs": f"{SECRET}appKeykx{SECRET}"}
    html = root.post(page("dfire-callback"), sent).content.decode()
    assert "The signature is wrong" in html
    assert sign(PARAMS, SECRET) in html
    assert "a blank behind the secret" in html
    typed = html.count(SECRET)
    assert typed == 2, "what was typed stays in its field; nothing else holds it"
    assert trail_of(account) == [("root", "Looked at a signature (Callback from dfire).")]


@pytest.mark.django_db
def test_every_kind_has_its_form_and_bad_input_is_kept(root: Client, world: World) -> None:
    for kind in ("dfire-request", "dfire-callback", "smart-coupon", "webhook", "nonsense"):
        assert root.get(page(kind)).status_code == 200
    html = root.post(page("smart-coupon"), {"account": world.smart.pk, "message": "[no object"}).content.decode()
    assert "[no object" in html
    assert "errornote" in html or "text-red" in html
    hook = WebhookEndpoint.objects.get()
    WebhookEndpoint.objects.update(secret=WEBHOOK_SECRET)
    sent = {"account": hook.pk, "headers": signed_webhook(), "message": BODY}
    assert "The signature is right" in root.post(page("webhook"), sent).content.decode()
    pushed = {"account": world.smart.pk, "message": '{"signature_time": "1"}', "revision": "3"}
    assert "Our signature" in root.post(page("smart-coupon"), pushed).content.decode()
    SmartCouponAccount.objects.update(developer_key="")
    assert "no developer key" in root.post(page("smart-coupon"), pushed).content.decode()


@pytest.mark.django_db
def test_it_takes_a_right_of_its_own(lili: Client, staff: User) -> None:
    assert lili.get(page("webhook")).status_code == 200
    staff.user_permissions.remove(Permission.objects.get(codename="check_signatures"))
    assert lili.get(page("webhook")).status_code == 403
    assert page("")[:-6] not in lili.get("/admin/").content.decode()


@pytest.mark.django_db
def test_accounts_of_other_merchants_are_not_offered_and_not_used(lili: Client, world: World) -> None:
    foreign = DfireAccountFactory(name="foreign", app_secret="foreign-s3cr3t")
    theirs = SmartCouponAccountFactory(name="foreign-platform", developer_key="foreign-key")
    theirs.merchants.add(world.other)
    html = lili.get(page("dfire-request")).content.decode()
    assert world.account.name in html
    assert "foreign" not in html
    refused = lili.post(page("dfire-request"), {"account": foreign.pk, "message": "a=1"})
    assert refused.context["form"].errors["account"]
    signature = sign({"a": "1"}, "foreign-s3cr3t")
    own = DfireAccount.objects.get(pk=world.account.pk)
    said = lili.post(page("dfire-request"), {"account": own.pk, "message": f"a=1&sign={signature}"}).content.decode()
    assert "the secret of foreign" not in said
    assert lili.get(page("smart-coupon")).context["form"].fields["account"].queryset.get() == world.smart
