"""The second factor: required of administrators, asked of whoever has one, each code good once."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken

from merchants import two_factor
from merchants.models import Authenticator
from tests.admin.conftest import World
from tests.admin.pages import act, action_of, list_of, page_of, said, trail_of
from tests.people.signing import (
    CODE,
    SET_UP,
    STATE,
    browser_at,
    code_of,
    later,
    phone,
    sign_in,
    with_recovery_codes,
    wrong_code_of,
)


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.REQUIRE_TWO_FACTOR = True


def leads_to(response: Any) -> str:
    assert response.status_code == 302, response.content.decode()[:2000]
    return str(response["Location"].split("?")[0])


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_an_administrator_without_a_second_factor_can_only_set_one_up(administrator: User, world: World) -> None:
    client = browser_at("root")
    for address in ("/admin/", list_of(User), page_of(world.coupon), "/admin/settlement/", "/admin/password_change/"):
        assert leads_to(client.get(address)) == SET_UP, address
    assert leads_to(client.post(page_of(world.own), {"name": "x"})) == SET_UP
    assert client.get(page_of(world.coupon), headers={"hx-request": "true"})["HX-Redirect"] == SET_UP
    page = client.get(SET_UP).content.decode()
    assert "<svg" in page
    assert world.own.name not in page, "the frame of the sign-in page shows nothing of the portal"
    device = Authenticator.objects.get()
    assert two_factor.key_text(device) in page
    assert two_factor.key_text(device) in client.get(SET_UP).content.decode(), "loaded again, the picture is the same"
    assert not is_in(client)


def test_setting_up_takes_a_code_and_shows_recovery_codes_once(administrator: User) -> None:
    client = browser_at("root")
    client.get(SET_UP)
    device = Authenticator.objects.get()
    wrong = client.post(SET_UP, {"code": wrong_code_of(device)})
    assert "This code is wrong" in wrong.content.decode()
    assert not is_in(client)
    later(device)
    shown = client.post(SET_UP, {"code": code_of(device), "next": list_of(User)})
    codes = re.findall(r'<code class="portal-mono">([a-z2-7-]+)</code>', shown.content.decode())
    assert len(codes) == len(set(codes)) == two_factor.RECOVERY_CODES
    assert f'href="{list_of(User)}"' in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert is_in(client)
    again = client.post(SET_UP, {"code": code_of(device)})
    assert leads_to(again) == STATE
    assert not [code for code in codes if code in client.get(STATE).content.decode()]
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert not stored & {code.replace("-", "") for code in codes}, "a dump signs nobody in"
    assert trail_of(administrator)[-1] == (administrator.username, "Set two-factor sign-in up.")


def test_whoever_has_a_second_factor_gives_it_at_each_sign_in(administrator: User, world: World) -> None:
    device = phone(administrator)
    client = browser_at("root")
    asked = client.get(page_of(world.coupon))
    assert leads_to(asked) == CODE
    assert leads_to(client.get(SET_UP)) == CODE, "nobody sets another phone up with the password alone"
    assert leads_to(client.get(STATE)) == CODE
    key = client.session.session_key
    answer = client.post(asked["Location"], {"code": f" {code_of(device)[:3]} {code_of(device)[3:]}"})
    assert leads_to(answer) == page_of(world.coupon)
    assert is_in(client)
    assert client.session.session_key != key


def test_a_code_is_taken_once(administrator: User) -> None:
    device = phone(administrator)
    code = code_of(device)
    first, second = browser_at("root"), browser_at("root")
    first.post(CODE, {"code": code})
    assert is_in(first)
    assert "has been used already" in second.post(CODE, {"code": code}).content.decode()
    assert not is_in(second)


def test_who_guesses_waits_longer_each_time(administrator: User) -> None:
    device = phone(administrator)
    client = browser_at("root")
    for failures in range(1, 7):
        html = client.post(CODE, {"code": wrong_code_of(device)}).content.decode()
        assert "Try again in" in html
        device.refresh_from_db()
        assert device.throttling_failure_count == failures
        assert "Try again in" in client.post(CODE, {"code": code_of(device)}).content.decode(), "even the right one"
        later(device)
    assert re.search(r"Try again in 6\d seconds", client.post(CODE, {"code": wrong_code_of(device)}).content.decode())
    later(device)
    client.post(CODE, {"code": code_of(device)})
    assert is_in(client)
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


def test_a_recovery_code_signs_in_once_and_is_written_down(administrator: User) -> None:
    phone(administrator)
    codes = with_recovery_codes(administrator)
    client = browser_at("root")
    client.post(CODE, {"code": codes[3].upper()})
    assert is_in(client)
    assert two_factor.recovery_codes_left(administrator) == 9
    assert trail_of(administrator)[-1][1] == "Signed in with a recovery code; 9 left."
    other = browser_at("root")
    other.post(CODE, {"code": codes[3]})
    assert not is_in(other)
    assert "Try again in" in other.post(CODE, {"code": codes[4]}).content.decode(), "guessing them is slowed, too"


def test_nobody_signs_in_with_someone_else_s_code(administrator: User, member: Any) -> None:
    phone(administrator)
    other = member("Administrator")
    theirs = phone(other)
    codes = with_recovery_codes(other)
    client = browser_at("root")
    client.post(CODE, {"code": code_of(theirs)})
    client.post(CODE, {"code": codes[0]})
    assert not is_in(client)


@pytest.mark.parametrize("role", ["Marketing", "Operations", "Auditor"])
def test_of_others_it_is_not_required_but_asked_once_they_have_it(member: Any, role: str) -> None:
    user = member(role)
    assert is_in(browser_at(user.username))
    device = phone(user)
    client = browser_at(user.username)
    assert not is_in(client)
    client.post(CODE, {"code": code_of(device)})
    assert is_in(client)


def test_an_administrator_by_role_is_required_as_a_superuser_is(member: Any) -> None:
    assert leads_to(browser_at(member("Administrator").username).get("/admin/")) == SET_UP


def test_turned_off_nobody_is_required(settings: Any, administrator: User) -> None:
    settings.REQUIRE_TWO_FACTOR = False
    assert is_in(browser_at("root"))


def test_changes_ask_for_a_code(administrator: User, member: Any, settings: Any) -> None:
    user = member("Marketing")
    device = phone(user)
    codes = with_recovery_codes(user)
    client = browser_at(user.username)
    client.post(CODE, {"code": code_of(device)})
    for wish in ("codes", "phone", "off"):
        client.post(STATE, {"do": wish, "code": "000000x"})
    assert leads_to(client.get(SET_UP)) == STATE
    assert two_factor.recovery_codes_left(user) == 10
    two_factor.StaticDevice.objects.update(throttling_failure_timestamp=None)
    assert leads_to(client.post(STATE, {"do": "phone", "code": codes[0]})) == SET_UP
    client.get(SET_UP)
    fresh = Authenticator.objects.get(confirmed=False)
    client.post(SET_UP, {"code": code_of(fresh)})
    assert [found.pk for found in Authenticator.objects.filter(user=user)] == [fresh.pk]
    assert is_in(client)
    new = with_recovery_codes(user)
    assert leads_to(client.post(STATE, {"do": "off", "code": new[0]})) == "/admin/"
    assert two_factor.device_of(user) is None
    assert is_in(client)


def test_an_administrator_cannot_turn_it_off(administrator: User) -> None:
    device = phone(administrator)
    codes = with_recovery_codes(administrator)
    client = browser_at("root")
    client.post(CODE, {"code": code_of(device)})
    assert "Turn it off" not in client.get(STATE).content.decode()
    client.post(STATE, {"do": "off", "code": codes[0]})
    assert two_factor.device_of(administrator) is not None


def test_another_administrator_resets_it_and_that_is_written_down(administrator: User, member: Any) -> None:
    device = phone(administrator)
    boss = browser_at("root")
    boss.post(CODE, {"code": code_of(device)})
    lost = member("Administrator")
    phone(lost)
    with_recovery_codes(lost)
    theirs = browser_at(lost.username)
    assert act(boss, lost, "reset-two-factor") == ["Two-factor sign-in is reset."]
    assert two_factor.device_of(lost) is None
    assert two_factor.recovery_codes_left(lost) == 0
    assert leads_to(theirs.get("/admin/")) == "/admin/login/", "signed out everywhere"
    assert leads_to(browser_at(lost.username).get("/admin/")) == SET_UP
    assert (administrator.username, "Reset two-factor sign-in.") in trail_of(lost)


def test_nobody_resets_their_own(administrator: User) -> None:
    device = phone(administrator)
    boss = browser_at("root")
    boss.post(CODE, {"code": code_of(device)})
    assert act(boss, administrator, "reset-two-factor") == ["Another administrator has to do this for you."]
    assert two_factor.device_of(administrator) is not None


@pytest.mark.parametrize("role", ["Marketing", "Operations", "Auditor"])
def test_others_reset_nobody(member: Any, administrator: User, role: str) -> None:
    phone(administrator)
    client = browser_at(member(role).username)
    response = client.post(action_of(administrator, "reset-two-factor"), {"_form_submitted": "1"})
    assert response.status_code in (302, 403)
    assert two_factor.device_of(administrator) is not None


def test_keys_of_second_factors_are_on_no_page(administrator: User) -> None:
    device = phone(administrator)
    client = browser_at("root")
    client.post(CODE, {"code": code_of(device)})
    row = Authenticator.objects.get()
    for address in (
        "/admin/merchants/authenticator/",
        f"/admin/merchants/authenticator/{row.pk}/change/",
        f"/admin/merchants/authenticator/{row.pk}/history/",
        "/admin/merchants/authenticator/export-csv/",
        page_of(administrator),
        STATE,
    ):
        response = client.get(address)
        assert response.status_code == 200, address
        said_there = response.getvalue().decode()
        assert device.secret not in said_there
        assert two_factor.key_text(device) not in said_there
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404


def test_who_is_not_signed_in_sees_none_of_these_pages(db: None) -> None:
    for address in (CODE, SET_UP, STATE):
        assert leads_to(Client().get(address)) == "/admin/login/"


def test_nobody_is_led_to_a_foreign_page_afterwards(administrator: User) -> None:
    device = phone(administrator)
    client = browser_at("root")
    answer = client.post(CODE, {"code": code_of(device), "next": "https://evil.example/"})
    assert leads_to(answer) == "/admin/"


def test_the_way_out_is_open_half_way(administrator: User) -> None:
    phone(administrator)
    client = browser_at("root")
    assert client.post("/admin/logout/").status_code in (200, 302)
    assert leads_to(client.get("/admin/")) == "/admin/login/"


def test_machines_are_not_asked(administrator: User) -> None:
    phone(administrator)
    client = browser_at("root")
    assert client.get("/healthz").status_code == 200
    assert client.post("/hooks/dfire/", {}).status_code != 302


def test_the_password_alone_is_still_refused_in_words(administrator: User) -> None:
    response = sign_in(Client(headers={"accept-language": "en"}), "root", "wrong")
    assert "correct username and password" in response.content.decode()
    assert said(response) == []


def test_the_only_administrator_is_helped_on_the_server(administrator: User, capsys: Any) -> None:
    phone(administrator)
    client = browser_at("root")
    call_command("reset_two_factor", "root")
    assert capsys.readouterr().out == "Two-factor sign-in of root is reset; sessions ended: 1.\n"
    assert leads_to(client.get("/admin/")) == "/admin/login/"
    assert trail_of(administrator)[-1][1] == "Reset two-factor sign-in."
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("reset_two_factor", "nobody")
