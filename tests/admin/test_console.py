"""Keys in the admin, the console of a partner app, the log of calls: what they show, and to whom."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import ApiCall, ApiKey, PartnerApp
from integrations.partner_api import calls, keys
from merchants.models import Merchant
from tests.admin.conftest import World
from tests.admin.pages import act, action_of, list_of, page_of

pytestmark = pytest.mark.django_db


def console_of(app: PartnerApp) -> str:
    """The address of an app's console."""
    return f"/admin/integrations/partnerapp/{app.pk}/console/"


def a_call(app: PartnerApp, merchant: Merchant | None = None, **facts: Any) -> ApiCall:
    """A call of the log."""
    said = {"at": timezone.now(), "method": "GET", "route": "api-coupons", "status": 200, "duration_ms": 5}
    return ApiCall.objects.create(app=app, merchant=merchant, **{**said, **facts})


def test_a_key_is_made_with_all_that_was_said_of_it(root: Client, world: World) -> None:
    old = ApiKey.objects.get()
    act(
        root, world.partner, "new-key", label="till", lives="90", old_ends="24", allowed_addresses="10.0.0.0/8\n1.2.3.4"
    )
    key, now = ApiKey.objects.latest("pk"), timezone.now()
    assert (key.label, key.allowed_addresses) == ("till", ["10.0.0.0/8", "1.2.3.4"])
    assert key.expires_at is not None
    assert abs(key.expires_at - now - timedelta(days=90)) < timedelta(minutes=1)
    old.refresh_from_db()
    assert old.expires_at is not None
    assert abs(old.expires_at - now - timedelta(hours=24)) < timedelta(minutes=1)
    html = root.get(page_of(world.partner)).content.decode()
    assert "till" in html
    assert "live until" in html


@pytest.mark.parametrize(("said", "ends"), [("", False), ("0", True)])
def test_the_present_key_ends_as_it_was_said(root: Client, world: World, said: str, ends: bool) -> None:
    act(root, world.partner, "new-key", old_ends=said)
    old = ApiKey.objects.earliest("pk")
    assert old.is_live(timezone.now()) is not ends


def test_a_third_key_is_refused_and_it_is_said_which_to_end_first(root: Client, world: World) -> None:
    second, _text = keys.make(world.partner, label="the newer")
    ApiKey.objects.filter(pk=second.pk).update(last_used_at=timezone.now())
    sent = {"_form_submitted": "1", "label": "kept words", "old_ends": "24"}
    answer = root.post(action_of(world.partner, "new-key"), sent)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Two keys are live: cp_12345… (never used), " in html
    assert "Two keys are live" in root.get(action_of(world.partner, "new-key")).content.decode(), "said beforehand too"
    assert "End one of them first, best cp_12345…." in html
    assert "kept words" in html
    assert ApiKey.objects.count() == 2
    assert ApiKey.objects.earliest("pk").expires_at is None, "nothing has ended either"


@pytest.mark.parametrize("wrong", ["somewhere", "10.0.0.0/99"])
def test_a_wrong_address_is_named(root: Client, world: World, wrong: str) -> None:
    sent = {"_form_submitted": "1", "allowed_addresses": wrong}
    assert f"{wrong} is neither" in root.post(action_of(world.partner, "new-key"), sent).content.decode()
    assert ApiKey.objects.count() == 1


def test_a_key_is_ended_at_once_or_in_a_day_and_stays_ended(root: Client, world: World) -> None:
    key = ApiKey.objects.get()
    act(root, key, "end-soon")
    key.refresh_from_db()
    assert key.is_live(timezone.now())
    act(root, key, "end-now")
    key.refresh_from_db()
    assert not key.is_live(timezone.now())
    html = root.get(page_of(key)).content.decode()
    assert "end-now" not in html
    root.post(page_of(key), {"label": "x", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"})
    key.refresh_from_db()
    assert not key.is_live(timezone.now())


def test_a_live_keys_label_end_and_addresses_can_be_changed(root: Client, world: World) -> None:
    key = ApiKey.objects.get()
    sent = {"label": "shop 3", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00", "allowed_addresses": "::1"}
    assert root.post(page_of(key), sent).status_code == 302
    key.refresh_from_db()
    assert (key.label, key.allowed_addresses, key.expires_at and key.expires_at.year) == ("shop 3", ["::1"], 2098)
    past = root.post(page_of(key), {**sent, "expires_at_0": "2020-01-01"})
    assert "This lies in the past" in past.content.decode()
    root_only = root.get(page_of(key)).content.decode()
    assert key.key_hash not in root_only


def test_the_console_counts_calls_and_shows_the_last_with_their_answers(root: Client, world: World) -> None:
    ApiCall.objects.all().delete()
    now = timezone.now()
    for status, ago in ((200, 1), (201, 30), (404, 1), (429, 1), (503, 100), (200, 200)):
        a_call(world.partner, world.own, status=status, at=now - timedelta(hours=ago))
    a_call(
        world.partner, world.own, status=409, code="out_of_stock", body='{"a": 1}', answer='{"b": 2}', request_id="id-7"
    )
    figures = root.get(console_of(world.partner)).context["figures"]
    assert [(one["day"], one["week"]) for one in figures] == [("1", "2"), ("2", "2"), ("1", "1"), ("0", "1")]
    html = root.get(console_of(world.partner)).content.decode()
    for said in ("out_of_stock", "&quot;a&quot;: 1", "&quot;b&quot;: 2", "id-7", "cp_12345…"):
        assert said in html, said


def test_the_console_is_narrowed_by_outcome_and_call(root: Client, world: World) -> None:
    ApiCall.objects.all().delete()
    for status, route in ((200, "api-coupons"), (404, "api-coupon"), (429, "api-coupon"), (500, "api-check")):
        a_call(world.partner, status=status, route=route)

    def shown(query: str) -> list[str]:
        return [
            re.sub("<.*?>", "", one["status"]).strip()
            for one in root.get(console_of(world.partner) + query).context["calls"]
        ]

    assert shown("?outcome=refused") == ["404"]
    assert shown("?outcome=throttled") == ["429"]
    assert shown("?outcome=failed&route=api-check") == ["500"]
    assert shown("?route=api-coupon") == ["429", "404"]
    assert shown("?outcome=done&route=api-check") == []
    assert "No call fits" in root.get(console_of(world.partner) + "?outcome=done&route=api-check").content.decode()
    assert len(shown("?outcome=nonsense&route=nonsense")) == 4


def test_very_many_calls_are_counted_no_further(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_COUNTED", 3)
    for _ in range(5):
        a_call(world.partner)
    numbers, more = calls.counted(ApiCall.objects.all(), timezone.now() - timedelta(hours=1))
    assert (numbers["done"], more) == (3, True)


def test_an_empty_console_says_what_to_try(root: Client, world: World) -> None:
    ApiCall.objects.all().delete()
    html = root.get(console_of(world.partner)).content.decode()
    assert "Nothing has been called in the last 7 days" in html
    assert "Authorization: Api-Key $KEY&quot; http://testserver/api/v1/coupon-templates/" in html


@pytest.mark.parametrize("query", ["", "?outcome=failed", "?route=api-coupon"])
def test_the_console_lists_the_days_that_its_cards_count(root: Client, world: World, query: str) -> None:
    ApiCall.objects.all().delete()
    now = timezone.now()
    a_call(world.partner, at=now - timedelta(days=8), status=500, route="api-coupon", request_id="too-old")
    a_call(world.partner, at=now - timedelta(days=6), status=500, route="api-coupon", request_id="of-the-week")
    html = root.get(console_of(world.partner) + query).content.decode()
    assert ("of-the-week" in html, "too-old" in html) == (True, False)


def test_staff_see_calls_about_their_merchants_and_no_keys(lili: Client, world: World) -> None:
    assert lili.get(console_of(world.partner)).status_code == 404, "none of the app's merchants is theirs"
    world.partner.merchants.add(world.own, world.other)
    a_call(world.partner, None, status=403)
    answer = lili.get(console_of(world.partner))
    assert [one["link"] for one in answer.context["calls"]] == [page_of(ApiCall.objects.get(merchant=world.own))]
    html = answer.content.decode()
    assert world.other_coupon.code not in html
    assert "cp_12345" not in html
    assert lili.get(page_of(ApiCall.objects.get(merchant=world.other))).status_code in (302, 404)
    assert world.other_coupon.code not in lili.get(list_of(ApiCall)).content.decode()


def test_without_the_right_to_see_calls_there_is_no_console(lili: Client, world: World, staff: User) -> None:
    world.partner.merchants.add(world.own)
    kind = ContentType.objects.get_for_model(ApiCall)
    staff.user_permissions.remove(Permission.objects.get(content_type=kind, codename="view_apicall"))
    assert lili.get(console_of(world.partner)).status_code == 403
    assert lili.get(list_of(ApiCall)).status_code == 403
    assert lili.get("/admin/integrations/partnerapp/999999/console/").status_code == 403


def test_a_coupons_timeline_tells_of_partners_calls(lili: Client, world: World) -> None:
    html = lili.get(page_of(world.coupon)).content.decode()
    assert "Call of the partner API: GET coupons/{code}/" in html
    assert page_of(ApiCall.objects.get(coupon=world.coupon)) in html


def test_calls_are_found_by_request_id_outcome_and_call(root: Client, world: World) -> None:
    wanted = a_call(world.partner, status=404, route="api-check", request_id="id-9")
    for query in ("?q=id-9", "?outcome=refused", "?route=api-check"):
        html = root.get(list_of(ApiCall) + query).content.decode()
        assert page_of(wanted) in html, query
        assert page_of(ApiCall.objects.get(coupon=world.coupon)) not in html


@pytest.mark.parametrize("left", ["key", "call"])
def test_an_app_that_has_been_used_stays_and_none_of_its_calls_is_read(root: Client, world: World, left: str) -> None:
    (ApiCall if left == "key" else ApiKey).objects.all().delete()
    page = page_of(world.partner).replace("/change/", "/delete/")
    chosen = {"action": "delete_selected", "_selected_action": [world.partner.pk], "post": "yes"}
    for address, sent in ((page, {"post": "yes"}), (list_of(PartnerApp), chosen)):
        with CaptureQueriesContext(connection) as asked:
            html = root.post(address, sent).content.decode()
        assert "End its keys, and nobody can use it any more." in html
        about_calls = [query["sql"] for query in asked if "integrations_apicall" in query["sql"]]
        assert not [sql for sql in about_calls if "LIMIT 1" not in sql]
    assert PartnerApp.objects.filter(pk=world.partner.pk).exists()
