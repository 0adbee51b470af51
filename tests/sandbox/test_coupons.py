"""Delivering, listing, verifying, withdrawing and transferring: the semantics of a till ledger."""

import json
from datetime import datetime, timedelta

import pytest

from integrations.sandbox.clock import midnight_ms
from tests.sandbox.caller import DONE, ENTITY, PROMOTION, Caller, now_ms, shanghai_day


def day_ms(offset: int) -> int:
    return midnight_ms(datetime.strptime(shanghai_day(offset), "%Y%m%d").date())  # noqa: DTZ007


def code_of(answer: str) -> str:
    return json.loads(answer)["resultCode"]


def test_deliver_answers_every_field_of_the_document(till):
    till.save(endTime=shanghai_day(30))
    before = now_ms()
    answer = till.deliver("9001")
    assert (answer["success"], answer["totalRecord"]) == (True, 0)
    model = answer["model"]
    assert set(model) == {
        *("promotionCustomerId", "customerregisterId", "promotionId", "name", "starttime", "endtime"),
        *("canDeliver", "delivertime", "deliverSuccess", "thirdDeliverCode"),
    }
    assert (model["deliverSuccess"], model["canDeliver"]) == (True, True)
    assert before <= model["delivertime"] == model["starttime"] <= now_ms()
    assert model["endtime"] == day_ms(30)


def test_days_after_receipt_end_before_the_promotion_does_and_never_after(till):
    till.save(dynamicDate="7", endTime=shanghai_day(30))
    till.save("2", dynamicDate="7", endTime=shanghai_day(3))
    assert till.deliver("9001")["model"]["endtime"] == day_ms(6)
    assert till.deliver("9002", promotion_id="2")["model"]["endtime"] == day_ms(3)


def test_promotion_that_begins_later_can_be_delivered_but_not_used_yet(till):
    till.save(startTime=shanghai_day(2))
    assert till.deliver("9001")["model"]["starttime"] == day_ms(2)
    assert till.held() == {"9001": None}
    assert code_of(till.verify("9001")) == "018"


@pytest.mark.parametrize("name", ["openid", "appid", "mobile", "thirdDeliverCode"])
def test_deliver_needs_everything_that_names_the_customer(stocked, name):
    assert stocked.deliver("9002", **{name: ""})["code"] == "32"


def test_same_code_is_delivered_once_and_the_refusal_is_counted(stocked):
    assert stocked.deliver("9001")["resultCode"] == "004"
    assert stocked.deliver("9001", openid="openid-2")["resultCode"] == "004"
    coupon = stocked.coupon("9001")
    assert (coupon["delivered"], coupon["refused_deliveries"], coupon["openid"]) == (1, 2, "openid-1")


@pytest.mark.parametrize(
    ("terms", "room"),
    [
        ({"totalNum": "2"}, 2),
        ({"ruleList": {"perPersonCanGetCouponMaxNum": 2}}, 2),
        ({"ruleList": {"perPersonPerDayCanGetCouponNum": 1}}, 1),
        ({"ruleList": {"perPersonCanGetCouponMaxNum": 0}}, 0),
    ],
)
def test_limit_refuses_with_success_true_and_deliver_success_false(till, terms, room):
    till.save(**terms)
    for left in range(room, 0, -1):
        model = till.deliver(str(left))["model"]
        assert (model["deliverSuccess"], model["canDeliver"]) == (True, left > 1)
    answer = till.deliver("one-more")
    assert answer["success"] is True
    assert (answer["model"]["deliverSuccess"], answer["model"]["canDeliver"]) == (False, False)
    assert till.coupon("one-more") is None


def test_withdrawal_gives_no_limit_back(till):
    till.save(ruleList={"perPersonCanGetCouponMaxNum": 1})
    till.deliver("9001")
    assert till.withdraw("9001") == DONE
    assert till.deliver("9001")["model"]["deliverSuccess"] is False


def test_promotion_that_is_over_delivers_no_more(till):
    till.save(startTime=shanghai_day(-3), endTime=shanghai_day(-1))
    assert till.deliver("9001")["model"]["deliverSuccess"] is False


def test_list_leaves_the_status_out_while_held_and_shows_1_when_used(stocked):
    stocked.deliver("9002")
    assert stocked.verify("9002") == DONE
    assert stocked.held() == {"9001": None, "9002": 1}
    answer = stocked.json("customer.query.promotion", openid="openid-1", currDate=shanghai_day())
    assert set(answer["model"][0]) - {"status"} == {
        *("entityId", "openid", "thirdDeliverCode", "appid", "plateEntityId", "brandEntityId"),
        *("promotionCustomerId", "customerRegisterId"),
    }


def test_list_is_one_customers_and_leaves_out_what_is_over(stocked):
    stocked.deliver("9002", openid="openid-2")
    assert stocked.held("openid-2") == {"9002": None}
    assert stocked.held("nobody") == {}
    assert stocked.held(appid="wx-other") == {}
    assert stocked.held(currDate=shanghai_day(30)) == {"9001": None}
    assert stocked.held(currDate=shanghai_day(31)) == {}
    assert code_of(stocked.text("customer.query.promotion", openid="openid-1", currDate="2017-06-01")) == "002"


def test_verify_uses_a_coupon_once(stocked):
    assert stocked.verify("9001") == DONE
    assert code_of(stocked.verify("9001")) == "015"
    coupon = stocked.coupon("9001")
    assert (coupon["status"], coupon["verified"], coupon["refused_verifies"]) == ("used", 1, 1)
    assert coupon["order_id"] == "20170601001"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"thirdDeliverCode": "1"}, "014"),
        ({"promotionId": "1"}, "014"),
        ({"plateEntityId": "1"}, "014"),
        ({"openid": "openid-2"}, "017"),
        ({"appid": "wx-other"}, "017"),
        ({"orderDate": "2017-06-01"}, "002"),
        ({"needFee": "10.5"}, "002"),
        ({"savedFee": "-1"}, "002"),
    ],
)
def test_verify_that_names_something_else_is_refused(stocked, changed, code):
    assert code_of(stocked.verify("9001", **changed)) == code
    assert stocked.coupon("9001")["status"] == "held"


def test_another_account_cannot_touch_a_coupon(stocked):
    other = Caller(stocked.url, app_key="other-key", secret="other-secret")
    assert code_of(other.verify("9001")) == "014"
    assert code_of(other.withdraw("9001")) == "014"
    assert other.held() == {}


def test_withdrawn_coupon_is_gone_and_its_code_may_be_delivered_again(stocked):
    assert stocked.withdraw("9001") == DONE
    assert stocked.held() == {}
    assert code_of(stocked.withdraw("9001")) == "016"
    assert code_of(stocked.verify("9001")) == "016"
    assert stocked.deliver("9001", openid="openid-2")["model"]["deliverSuccess"] is True
    assert stocked.held("openid-2") == {"9001": None}
    assert stocked.control("GET", "ledger")["totals"]["delivered_twice"] == 0


def test_used_coupon_cannot_be_withdrawn_or_transferred(stocked):
    stocked.verify("9001")
    assert code_of(stocked.withdraw("9001")) == "015"
    assert code_of(stocked.transfer("9001", "openid-1", "openid-2")) == "015"


def test_transfer_moves_the_coupon_and_shows_2_to_the_giver(stocked):
    assert stocked.transfer("9001", "openid-1", "openid-2") == DONE
    assert stocked.held() == {"9001": 2}
    assert stocked.held("openid-2") == {"9001": None}
    assert code_of(stocked.transfer("9001", "openid-1", "openid-3")) == "017"
    assert stocked.transfer("9001", "openid-2", "openid-1") == DONE
    assert stocked.held() == {"9001": None}
    assert stocked.held("openid-2") == {"9001": 2}


def test_transfer_has_the_name_that_the_configuration_gives_it(stocked, config_path):
    config = json.loads(config_path.read_text())
    config_path.write_text(json.dumps({**config, "transfer_method": "dfire.shop.give.promotion"}))
    assert stocked.json("transfer.promotion")["code"] == "27"
    assert stocked.transfer("9001", "openid-1", "openid-2", method="give.promotion") == DONE


def test_coupon_of_the_last_day_is_good_until_that_day_ends(till):
    till.save(startTime=shanghai_day(-1), endTime=shanghai_day())
    till.deliver("9001")
    assert till.verify("9001") == DONE


def test_every_effect_is_in_the_journal(stocked):
    stocked.withdraw("9001")
    stocked.deliver("9001", openid="openid-2")
    stocked.verify("9001", openid="openid-2")
    effects = stocked.control("GET", "ledger", code="9001")["effects"]
    assert [(row["effect"], row["openid"], row["order_id"]) for row in effects] == [
        ("delivered", "openid-1", ""),
        ("withdrawn", "openid-1", ""),
        ("delivered", "openid-2", ""),
        ("verified", "openid-2", "20170601001"),
    ]
    assert {row["promotion_id"] for row in effects} == {PROMOTION}
    assert effects[0]["method"] == "dfire.shop.deliver.promotion"


def test_validity_is_never_longer_than_a_day_for_one_dynamic_day(till):
    till.save(dynamicDate="1")
    model = till.deliver("9001")["model"]
    assert timedelta(milliseconds=model["endtime"] - model["starttime"]) <= timedelta(0)
    assert till.verify("9001") == DONE
    assert ENTITY["plateEntityId"] in model["promotionCustomerId"]
