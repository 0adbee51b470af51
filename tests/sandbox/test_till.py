"""The till: what it refuses, the callback it sends, and how a callback comes through in the end."""

import json
import time
from urllib.parse import quote

import pytest

from tests.sandbox.caller import SECRET, Caller, now_ms, shanghai_day, sign, wait_for

HOUR_MS = 3_600_000


def test_redemption_uses_the_coupon_and_tells_the_portal_as_the_document_says(stocked, portal):
    before = now_ms()
    outcome = stocked.redeem("9001", shop_entity_id="00026863")
    assert (outcome["redeemed"], outcome["refusals"]) == (True, [])
    [callback] = outcome["callbacks"]
    assert (callback["accepted"], callback["http_status"]) == (True, 200)
    assert json.loads(callback["answer"])["resultCode"] == "000"
    assert stocked.held() == {"9001": 1}

    [received] = portal.received
    assert received.path == "/hooks/dfire/"
    assert received.content_type.startswith("application/x-www-form-urlencoded")
    form = received.form
    assert form.pop("sign") == sign(form, SECRET)
    assert before <= int(form.pop("timestamp")) <= now_ms()
    assert form == {
        "appKey": "till-key",
        "v": "1.0",
        "method": "dfire.shop.promotion.change.push",
        "entityId": "00026863",
        "promotionId": "4821907735",
        "openid": "openid-1",
        "thirdDeliverCode": "9001",
        "brandEntityId": "99927548",
        "plateEntityId": "99927571",
    }


def test_account_of_a_callback_is_the_one_that_delivered(stocked, portal):
    other = Caller(stocked.url, app_key="other-key", secret="other-secret")
    other.save()
    other.deliver("9100")
    stocked.redeem("9100")
    form = portal.received[0].form
    assert form["appKey"] == "other-key"
    assert form.pop("sign") == sign(form, "other-secret")


def test_used_coupon_is_refused_until_the_cashier_insists(stocked, portal):
    stocked.redeem("9001")
    refused = stocked.redeem("9001")
    assert (refused["redeemed"], refused["callbacks"]) == (False, [])
    assert [refusal["code"] for refusal in refused["refusals"]] == ["used"]
    assert stocked.redeem("9001", override=True)["redeemed"] is True
    assert stocked.control("GET", "ledger")["totals"]["used_twice"] == 1
    assert len(portal.received) == 2


def test_withdrawn_coupon_is_refused(stocked):
    stocked.withdraw("9001")
    assert [refusal["code"] for refusal in stocked.redeem("9001")["refusals"]] == ["withdrawn"]


def test_unknown_code_is_refused_and_sent_as_told_when_insisted(till, portal):
    assert [refusal["code"] for refusal in till.redeem("777")["refusals"]] == ["unknown"]
    told = {"app_key": "other-key", "promotion_id": "5", "openid": "o", "shop_entity_id": "00026863"}
    assert till.redeem("777", override=True, **told)["redeemed"] is True
    form = portal.received[0].form
    assert (form["thirdDeliverCode"], form["appKey"], form["promotionId"]) == ("777", "other-key", "5")
    assert form.pop("sign") == sign(form, "other-secret")


def weekday(offset: int) -> str:
    """dfire's number of a day counted from today in Shanghai: 1 = Sunday."""
    return str(time.strptime(shanghai_day(offset), "%Y%m%d").tm_wday % 7 + 2).replace("8", "1")


def dotted(offset: int) -> str:
    day = shanghai_day(offset)
    return f"{day[:4]}.{day[4:6]}.{day[6:]}"


def clock(offset_minutes: int) -> str:
    return time.strftime("%H:%M", time.gmtime(time.time() + (8 * 60 + offset_minutes) * 60))


@pytest.mark.parametrize(
    ("rules", "refusals"),
    [
        (dict, []),
        (lambda: {"canUseDateInWeek": weekday(0)}, []),
        (lambda: {"canUseDateInWeek": weekday(1)}, ["weekday"]),
        (lambda: {"canUseTime": "00:00-23:59"}, []),
        (lambda: {"canUseDate": f"{dotted(0)}-{dotted(3)}"}, []),
        (lambda: {"canUseDate": f"{dotted(1)}-{dotted(3)}"}, ["date"]),
        (lambda: {"canNotUseDate": f"{dotted(-2)}-{dotted(-1)},{dotted(0)}-{dotted(0)}"}, ["excluded_date"]),
        (lambda: {"chainSuitShopRule": "00026863"}, []),
    ],
)
def test_till_keeps_the_rules_of_the_promotion(till, rules, refusals):
    till.save(ruleList=rules())
    till.deliver("9001")
    assert [refusal["code"] for refusal in till.redeem("9001", notify=False)["refusals"]] == refusals


def test_till_keeps_the_hours_of_the_day(till):
    if clock(0) > "23:50":
        pytest.skip("the test needs an hour that ends before midnight")
    till.save(ruleList={"canUseTime": f"{clock(5)}-23:59" if clock(0) < clock(5) else "00:00-00:01"})
    till.deliver("9001")
    assert [refusal["code"] for refusal in till.redeem("9001")["refusals"]] == ["time"]


def test_till_refuses_another_shop_and_a_coupon_whose_time_is_not_come(till):
    till.save(ruleList={"chainSuitShopRule": "00026863"}, startTime=shanghai_day(2))
    till.deliver("9001")
    refusals = till.redeem("9001", shop_entity_id="00026864")["refusals"]
    assert [refusal["code"] for refusal in refusals] == ["not_started", "shop"]
    assert all(refusal["message"] for refusal in refusals)


def test_lost_message_tells_the_portal_nothing(stocked, portal):
    assert stocked.redeem("9001", notify=False)["callbacks"] == []
    assert stocked.held() == {"9001": 1}
    assert portal.received == []


def test_message_sent_several_times_is_the_same_message(stocked, portal):
    outcome = stocked.redeem("9001", times=5)
    assert [callback["accepted"] for callback in outcome["callbacks"]] == [True] * 5
    assert len({received.body for received in portal.received}) == 1
    assert stocked.coupon("9001")["redeemed"] == 1


def test_forged_message_redeems_nothing_and_is_not_repeated(stocked, portal):
    portal.say((401, {"success": False, "resultCode": "011"}))
    [callback] = stocked.redeem("9001", forge=True)["callbacks"]
    assert callback["status"] == "refused"
    form = portal.received[0].form
    assert form.pop("sign") != sign(form, SECRET)
    assert stocked.held() == {"9001": None}
    time.sleep(0.4)
    assert len(portal.received) == 1


def test_timestamp_can_be_moved_and_the_documents_own_sample_form_chosen(stocked, portal):
    stocked.redeem("9001", timestamp_offset_seconds=-3600, as_document=True)
    form = portal.received[0].form
    assert abs(int(form["timestamp"]) - (now_ms() - HOUR_MS)) < 5000
    assert (form["method"], form["thirdDeliverCode"]) == ("dfire.shop.verify.promotion", "\n 9001")
    assert form.pop("sign") == sign(form, SECRET)


@pytest.mark.parametrize(
    "first",
    [
        (500, {}),
        (503, {"success": False}),
        (200, {"success": False, "resultCode": "009"}),
        (200, ["success"]),
    ],
)
def test_callback_is_sent_again_until_the_portal_says_success(stocked, portal, first):
    portal.say(first, (200, {"success": True, "resultCode": "000"}))
    [callback] = stocked.redeem("9001")["callbacks"]
    assert (callback["status"], callback["attempts"]) == ("pending", 1)
    wait_for(lambda: stocked.control("GET", "callbacks", code="9001")["callbacks"][0]["status"] == "accepted")
    assert len(portal.received) == 2
    assert portal.received[0].body == portal.received[1].body


def test_callback_that_waits_survives_a_restart(start, portal):
    portal.say((500, {}))
    first = start()
    caller = Caller(first.url)
    caller.save()
    caller.deliver("9001")
    caller.redeem("9001")
    first.stop()
    portal.say((200, {"success": True}))
    caller = Caller(start().url)
    wait_for(lambda: caller.control("GET", "callbacks")["callbacks"][0]["accepted"])


def test_late_message_comes_late_with_the_time_of_the_redemption(stocked, portal):
    redeemed_at = now_ms()
    [callback] = stocked.redeem("9001", delay_seconds=1)["callbacks"]
    assert (callback["status"], callback["attempts"]) == ("pending", 0)
    assert portal.received == []
    wait_for(lambda: portal.received)
    assert int(portal.received[0].form["timestamp"]) - redeemed_at < 900


def test_portal_that_cannot_be_reached_is_reported_without_its_address(stocked, portal, config_path):
    config = json.loads(config_path.read_text())
    config_path.write_text(json.dumps({**config, "portal_url": "http://127.0.0.1:1"}))
    [callback] = stocked.redeem("9001")["callbacks"]
    assert (callback["http_status"], callback["answer"]) == (None, "ConnectionError")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": ""},
        {"code": "1", "times": 0},
        {"code": "1", "times": "2"},
        {"code": "1", "x": 1},
        {"code": "1", "delay_seconds": 10**20},
    ],
)
def test_order_that_cannot_be_understood_is_refused(till, body):
    assert till.session.post(f"{till.url}/control/redeem", json=body).status_code == 400


def test_page_shows_the_coupon_masked_and_redeems_it(stocked, portal):
    origin = {"Origin": stocked.url}
    page = stocked.session.get(f"{stocked.url}/till?code=9001").text
    assert "满50减10元现金券" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    form = {"code": "9001", "shop": "99927548", "sending": "now", "times": "2"}
    page = stocked.session.post(f"{stocked.url}/till/redeem", data=form, headers=origin)
    assert page.url.endswith("result=redeemed")
    assert "操作成功" in page.text
    assert len(portal.received) == 2
    again = stocked.session.post(f"{stocked.url}/till/redeem", data=form, headers=origin)
    assert again.url.endswith("result=refused")
    stocked.session.post(f"{stocked.url}/till/send", data={"id": "1", "code": "9001"}, headers=origin)
    assert len({received.body for received in portal.received}) == 1
    assert len(portal.received) == 3


def test_page_escapes_what_it_is_given(till):
    nasty = "<script>alert(1)</script>"
    assert nasty not in till.session.get(f"{till.url}/till?code={quote(nasty)}").text
    till.save(title=nasty)
    assert nasty not in till.session.get(f"{till.url}/promotions").text
