"""Guessing codes: the chance of a year's guesses, worked out from the settings; and that the limits hold as it says."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client, override_settings
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations import rates
from integrations.models import Incident, Notice, PartnerOrder, UnknownCodes
from integrations.models.alerts import AlertTarget, IncidentKind
from integrations.models.orders import OrderState
from integrations.models.partners import Scope
from integrations.partner_api import guessing, keys
from merchants.models import Merchant
from tests.admin.pages import action_of, page_of
from tests.api.caller import Caller, caller_of, issue_body, refused
from tests.factories import issued
from tests.hooks.test_callers import DEAD_REDIS

HELD = (429, "too_many_unknown_codes", None)
FEW = override_settings(API_UNKNOWN_CODES_IN_ALL=3, API_UNKNOWN_CODES_A_MINUTE=0)


@pytest.fixture(autouse=True)
def _redis_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that a test took Redis away."""
    monkeypatch.setattr(rates, "_quiet_until", 0.0)


@pytest.fixture
def coupon(template: CouponTemplate) -> IssuedCoupon:
    """A coupon of merchant 88 that staff gave."""
    return issued(template)


@pytest.fixture
def api(merchant: Merchant) -> Caller:
    """An app of merchant 88 that is shown codes and may not look them up."""
    return caller_of("till", merchant, scopes=[Scope.COUPONS_ISSUE, Scope.COUPONS_REDEEM, Scope.COUPONS_MANAGE])


def revoke(api: Caller, code: str) -> Any:
    """Name a code."""
    return api.post(f"coupons/{code}/revoke/", {"reason": "r"})


def guess(api: Caller, number: int) -> int:
    """The status of a call about a code that is not there."""
    return int(revoke(api, str(10**15 + number)).status_code)


def count_of(api: Caller) -> int:
    """What stands against the app."""
    return round(UnknownCodes.objects.get(app=api.app).count)


def test_a_year_of_guesses_meets_one_of_ten_million_coupons_with_less_than_one_in_a_million() -> None:
    assert guessing.SPACE == 9 * 10**15
    assert guessing.OUT == 10_000_000
    assert guessing.guesses_a_year() == (django_settings.API_UNKNOWN_CODES_IN_ALL + 64) * 2 + 365 == 893
    assert guessing.chance_a_year() < 1e-6
    assert guessing.chance_a_year(1_000_000) < 1e-7


def test_codes_are_spread_over_all_that_there_are(db: None) -> None:
    from coupons.codes import new_code

    codes = [int(new_code()) for _ in range(20_000)]
    assert len(set(codes)) == len(codes)
    assert all(10**15 <= code < 10**16 for code in codes)
    for place in range(16):  # each digit of each place is as likely as any other; 5 sigma of a binomial count
        counts = [
            sum(code // 10**place % 10 == digit for code in codes) for digit in range(1 if place == 15 else 0, 10)
        ]
        mean = len(codes) / len(counts)
        assert all(abs(count - mean) < 5 * mean**0.5 for count in counts), (place, counts)


@FEW
@pytest.mark.django_db
def test_a_guesser_is_held_and_learns_nothing_more(api: Caller, coupon: IssuedCoupon) -> None:
    assert [guess(api, number) for number in range(4)] == [404, 404, 429, 429]
    known = f"coupons/{coupon.code}/"
    hit, miss = revoke(api, coupon.code), revoke(api, "9999888877776666")
    assert refused(hit) == refused(miss) == HELD
    assert hit.content == miss.content
    assert hit["Retry-After"] == miss["Retry-After"] == "3600"
    order = {"order_id": "1", "paid_fen": 1, "saved_fen": 1}
    for path, body in (("redeem/", order), ("revoke/", {"reason": "r"}), ("transfer/", {})):
        assert refused(api.post(known + path, body)) == HELD, path
    assert api.post("coupons/", issue_body(coupon.template.coupon_id)).status_code == 201, "this names no code"
    coupon.refresh_from_db()
    assert coupon.status == "issued"


@FEW
@pytest.mark.django_db
def test_a_new_key_does_not_begin_anew_and_another_app_goes_on(api: Caller, coupon: IssuedCoupon) -> None:
    other = caller_of("other", *api.app.merchants.all())
    for number in range(3):
        guess(api, number)
    _key, text = keys.make(api.app)
    assert refused(revoke(Caller(api.app, text), coupon.code)) == HELD
    assert other.get(f"coupons/{coupon.code}/").status_code == 200


@FEW
@pytest.mark.django_db
def test_a_held_app_goes_on_with_what_it_gave_out_or_redeems_itself(api: Caller, coupon: IssuedCoupon) -> None:
    given = api.post("coupons/", issue_body(coupon.template.coupon_id)).json()["code"]
    PartnerOrder.objects.create(
        app=api.app, actor="api:mini-program", coupon=coupon, merchant=coupon.merchant, order_id="1",
        order_date=timezone.now().date(), paid_fen=1, saved_fen=1, began_at=timezone.now(),
    )  # fmt: skip
    for number in range(3):
        guess(api, number)
    assert revoke(api, given).status_code == 200
    assert revoke(api, coupon.code).status_code == 200
    assert refused(revoke(api, issued(coupon.template).code)) == HELD


@FEW
@pytest.mark.django_db
def test_only_what_is_a_guess_counts(api: Caller, coupon: IssuedCoupon) -> None:
    known = f"coupons/{coupon.code}/"
    assert [guess(api, 7) for _ in range(5)] == [404] * 5, "again is no other guess"
    assert count_of(api) == 1
    for _ in range(4):
        assert refused(api.post(f"{known}transfer/", {"to_openid": "nobody"}))[:2] == (404, "unknown_customer")
        assert api.post(f"{known}revoke/", b"{").status_code == 400
    assert count_of(api) == 1


@pytest.mark.django_db
@override_settings(API_UNKNOWN_CODES_A_MINUTE=2)
def test_a_receiver_that_is_not_there_is_no_guess_in_the_minute_either(api: Caller, coupon: IssuedCoupon) -> None:
    tried = [api.post(f"coupons/{coupon.code}/transfer/", {"to_openid": "nobody"}).status_code for _ in range(5)]
    assert tried == [404] * 5


@FEW
@pytest.mark.django_db
def test_days_and_redeemed_coupons_pay_for_errors(api: Caller, template: CouponTemplate) -> None:
    guess(api, 0), guess(api, 1)
    UnknownCodes.objects.update(counted_at=timezone.now() - timedelta(days=1))
    assert guess(api, 2) == 404
    assert count_of(api) == 2
    now = timezone.now()
    for number in range(9):
        PartnerOrder.objects.create(
            app=api.app, actor="api:mini-program", coupon=issued(template), merchant=template.merchant,
            order_id=str(number), order_date=now.date(), paid_fen=1, saved_fen=1, began_at=now, settled_at=now,
            state=OrderState.REDEEMED if number < 2 else OrderState.REFUSED,
        )  # fmt: skip
    assert guess(api, 3) == 404
    assert count_of(api) == 1, "two were redeemed; what dfire refused pays for nothing"
    assert [guess(api, 4), guess(api, 5)] == [404, 429], "an order pays once"


@FEW
@override_settings(CACHES=DEAD_REDIS)
@pytest.mark.django_db
def test_it_holds_without_redis_and_a_repeat_counts_no_more_than_with_it(api: Caller) -> None:
    assert [guess(api, 0) for _ in range(9)] == [404] * 9
    assert [guess(api, number) for number in range(4)] == [404, 404, 429, 429]


@FEW
@pytest.mark.django_db
def test_who_may_list_codes_has_nothing_to_guess_and_is_not_held(merchant: Merchant) -> None:
    reader = caller_of("mini-program", merchant)
    assert [guess(reader, number) for number in range(9)] == [404] * 9
    assert not UnknownCodes.objects.exists()


@FEW
@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_no_more_are_answered(api: Caller, at_once: Any) -> None:
    answers = at_once(lambda number: guess(api, number), 12)
    assert sorted(answers) == [404] * 2 + [429] * 10
    assert Incident.objects.filter(kind=IncidentKind.CODES_GUESSED).count() == 1


@FEW
@pytest.mark.django_db
def test_staff_are_told_at_once_and_let_it_go_on(
    api: Caller, coupon: IssuedCoupon, merchant: Merchant, admin_client: Client
) -> None:
    AlertTarget.objects.create(name="duty", address="json://localhost")
    for number in range(3):
        guess(api, number)
    incident = Incident.objects.get(kind=IncidentKind.CODES_GUESSED)
    assert (incident.merchant, incident.closed_at, Notice.objects.count()) == (merchant, None, 1)
    kept = UnknownCodes.objects.get(app=api.app)
    assert incident.page == page_of(kept)
    english = {"accept-language": "en"}
    assert "Let it go on" in admin_client.get(page_of(kept), headers=english).content.decode()
    go_on = action_of(kept, "let-go-on")
    assert "end the app" in admin_client.get(go_on, headers=english).content.decode()
    assert guess(api, 9) == 429, "asking whether changes nothing"
    admin_client.post(go_on, {"_form_submitted": "1"})
    incident.refresh_from_db()
    assert incident.closed_at is not None
    assert revoke(api, coupon.code).status_code == 200
    assert count_of(api) == 0
    assert [guess(api, 20 + number) for number in range(3)] == [404, 404, 429], "it begins anew, and no more"
    assert "Let it go on" in admin_client.get(page_of(kept), headers=english).content.decode()
