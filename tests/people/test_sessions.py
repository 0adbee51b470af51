"""Sign-ins that end: when nobody is there, after a day's work, and with the password."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.http import urlencode

from merchants import sessions
from tests.admin.conftest import World
from tests.admin.pages import list_of, said
from tests.people.conftest import PASSWORD
from tests.people.signing import age, browser_at, sign_in

OVER = "You were signed out, because the time of your session was over."


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_a_session_ends_when_nobody_was_there(administrator: User) -> None:
    client = browser_at("root")
    age(client, seen_at=59 * 60)
    assert is_in(client)
    age(client, seen_at=60 * 60)
    response = client.get(list_of(User))
    assert response["Location"] == f"/admin/login/?{urlencode({'next': list_of(User)})}"
    assert said(response) == [OVER]
    assert OVER in client.get(response["Location"]).content.decode()
    assert not is_in(client)


def test_being_there_keeps_it_and_is_noted_once_a_minute(administrator: User, django_assert_num_queries: Any) -> None:
    client = browser_at("root")
    age(client, seen_at=50 * 60)
    assert is_in(client)
    noted = client.session[sessions.SEEN]
    assert is_in(client)
    assert client.session[sessions.SEEN] == noted
    age(client, seen_at=61)
    assert is_in(client)
    assert client.session[sessions.SEEN] >= noted


def test_a_page_that_asks_again_by_itself_is_nobody(administrator: User) -> None:
    client = browser_at("root")
    age(client, seen_at=50 * 60)
    before = client.session[sessions.SEEN]
    assert client.get("/admin/", headers={"hx-request": "true"}).status_code == 200
    assert client.session[sessions.SEEN] == before
    age(client, seen_at=61 * 60)
    assert client.get("/admin/", headers={"hx-request": "true"})["HX-Redirect"] == "/admin/login/"


def test_a_session_ends_after_a_day_s_work_however_busy(administrator: User) -> None:
    client = browser_at("root")
    age(client, signed_in_at=12 * 3600 - 60)
    assert is_in(client)
    age(client, signed_in_at=12 * 3600)
    assert not is_in(client)


def test_the_limits_are_settings(administrator: User, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS = 5, 1
    client = browser_at("root")
    age(client, seen_at=5 * 60)
    assert not is_in(client)
    client = browser_at("root")
    age(client, signed_in_at=3600)
    assert not is_in(client)


def test_a_session_from_before_counts_from_now(administrator: User) -> None:
    client = browser_at("root")
    session = client.session
    del session[sessions.BEGAN], session[sessions.SEEN]
    session.save()
    assert is_in(client)
    assert sessions.BEGAN in client.session


def test_a_new_password_signs_out_everywhere_else(administrator: User) -> None:
    here, there = browser_at("root"), browser_at("root")
    new = "ein-anderes-Pferd-7"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", form).status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_a_password_that_an_administrator_sets_signs_its_user_out(administrator: User, member: Any) -> None:
    user = member("Marketing")
    theirs, boss = browser_at(user.username), browser_at("root")
    new = "ein-anderes-Pferd-7"
    form = {"usable_password": "true", "password1": new, "password2": new}
    assert boss.post(f"/admin/auth/user/{user.pk}/password/", form).status_code == 302
    assert not is_in(theirs)
    assert is_in(browser_at_with(user.username, new))


def browser_at_with(name: str, password: str) -> Client:
    client = Client()
    assert sign_in(client, name, password).status_code == 302
    return client


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_who_may_no_longer_come_in_is_out_at_once(member: Any, field: str) -> None:
    user = member("Marketing")
    client = browser_at(user.username)
    User.objects.filter(pk=user.pk).update(**{field: False})
    assert not is_in(client)


def test_rights_that_were_taken_are_gone_at_once(member: Any, world: World) -> None:
    user = member("Marketing")
    client = browser_at(user.username)
    assert client.get("/admin/coupons/issuedcoupon/").status_code == 200
    user.groups.clear()
    assert client.get("/admin/coupons/issuedcoupon/").status_code == 403


@pytest.mark.parametrize("password", ["short-9-Xyz", "password1234", "123456789012", "lili-lili-wang"])
def test_passwords_that_are_refused(db: None, password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="lili-lili-wang"))


def test_a_good_password_is_taken(db: None) -> None:
    validate_password(PASSWORD, User(username="lili"))


def test_signing_out_everywhere_ends_that_user_s_sessions_alone(administrator: User, member: Any) -> None:
    user = member("Marketing")
    theirs, also_theirs, boss = browser_at(user.username), browser_at(user.username), browser_at("root")
    assert sessions.end_all(user) == 2
    assert not is_in(theirs)
    assert not is_in(also_theirs)
    assert is_in(boss)
