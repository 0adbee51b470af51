"""Too many wrong passwords lock a name at an address: not elsewhere, not for good, and nobody gets round it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone

from config.environment import networks
from integrations.hooks.callers import household
from merchants.models import FailedSignIn, SignIn, SignInLock
from merchants.sign_ins import lock_ends
from tests.admin.pages import act, act_on_selected, list_of, page_of, trail_of
from tests.people.conftest import PASSWORD
from tests.people.signing import sign_in

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "en"})


def fail(client: Client, name: str = "root", times: int = 5, **more: Any) -> Any:
    for _time in range(times):
        response = sign_in(client, name, "wrong", **more)
    return response


def test_the_fifth_failure_locks_and_says_until_when(client: Client, administrator: User, settings: Any) -> None:
    assert fail(client, times=4).status_code == 200
    locked = fail(client, times=1)
    assert locked.status_code == 429
    ends = timezone.localtime(SignInLock.objects.get().attempt_time + timedelta(minutes=15))
    assert f"You can try again at {ends:%H:%M:%S}, in 15 minutes." in locked.content.decode()
    assert 890 <= int(locked["Retry-After"]) <= 900
    right = sign_in(client, "root")
    assert right.status_code == 429, "even the right password"
    assert f"{ends:%H:%M:%S}" in right.content.decode(), "trying on does not move the end"


def test_the_lock_ends_by_itself(client: Client, administrator: User) -> None:
    fail(client)
    SignInLock.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert sign_in(client, "root").status_code == 302


def test_the_owner_signs_in_from_elsewhere_meanwhile(client: Client, administrator: User) -> None:
    fail(client)
    assert sign_in(client, "root", address=ELSEWHERE).status_code == 302


def test_another_name_at_the_same_address_signs_in(client: Client, administrator: User, member: Any) -> None:
    user = member("Marketing")
    fail(client)
    assert sign_in(client, user.username).status_code == 302


def test_a_right_password_forgets_the_failures_before(client: Client, administrator: User) -> None:
    fail(client, times=4)
    assert sign_in(client, "root").status_code == 302
    assert fail(Client(), times=4).status_code == 200


def test_names_that_do_not_exist_lock_alike(client: Client, db: None) -> None:
    assert fail(client, "nobody-of-this-name").status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_FORWARDED_FOR": "203.0.113.{}"},
        {"HTTP_X_REAL_IP": "203.0.113.{}"},
        {"HTTP_FORWARDED": "for=203.0.113.{}"},
        {"HTTP_CLIENT_IP": "203.0.113.{}"},
        {"HTTP_USER_AGENT": "browser {}"},
        {"HTTP_COOKIE": "sessionid=made-up-{}"},
    ],
)
def test_headers_get_nobody_round_it(administrator: User, headers: dict[str, str]) -> None:
    for number in range(5):
        fresh = {name: value.format(number) for name, value in headers.items()}
        response = sign_in(Client(), "root", "wrong", **fresh)
    assert response.status_code == 429
    assert sign_in(Client(), "root", **{name: value.format(9) for name, value in headers.items()}).status_code == 429


def test_behind_a_trusted_proxy_the_client_s_address_counts(
    administrator: User, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PROXIES", "10.0.0.0/8")
    settings.TRUSTED_PROXIES = networks("PROXIES")
    proxy = {"address": "10.1.1.1"}
    for number in range(5):  # what the client wrote itself stands before what the proxy added
        forged = f"203.0.113.{number}, {HERE}"
        response = sign_in(Client(), "root", "wrong", HTTP_X_FORWARDED_FOR=forged, **proxy)
    assert response.status_code == 429
    assert SignInLock.objects.get().ip_address == HERE
    assert sign_in(Client(), "root", HTTP_X_FORWARDED_FOR=ELSEWHERE, **proxy).status_code == 302


@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", None),
        ("unix:", None),
    ],
)
def test_what_an_address_counts_as(remote: str, counted: str | None) -> None:
    assert household(RequestFactory().get("/", REMOTE_ADDR=remote)) == counted


def test_one_ipv6_network_is_one_address(administrator: User) -> None:
    for number in range(5):
        response = sign_in(Client(), "root", "wrong", address=f"2001:db8:1:2::{number:x}")
    assert response.status_code == 429


def test_without_an_address_the_name_is_locked(administrator: User) -> None:
    assert fail(Client(), address="").status_code == 429


def test_failures_with_several_browsers_add_up_and_end_in_their_turn(db: None, settings: Any) -> None:
    now = timezone.now()
    rows = [
        SignInLock(failures_since_start=count, attempt_time=now - timedelta(minutes=minutes))
        for count, minutes in ((3, 1), (2, 10), (4, 20))
    ]
    assert lock_ends(rows, now) == now - timedelta(minutes=10) + timedelta(minutes=15)
    assert lock_ends(rows[:1], now) is None
    assert lock_ends([rows[0], rows[2]], now) is None
    assert lock_ends([], now) is None


def test_nothing_that_was_typed_is_kept(client: Client, administrator: User) -> None:
    sign_in(client, "root", "my-0ther-Passw0rd", data={"next": "/admin/merchants/customer/?q=13912345678"})
    client.post("/admin/login/?next=/admin/%3Fq%3D13912345678", {"username": "root", "password": "my-0ther-Passw0rd"})
    kept = str(list(SignInLock.objects.values())) + str(list(FailedSignIn.objects.values()))
    assert "my-0ther" not in kept
    assert "13912345678" not in kept


def test_sign_ins_and_failures_are_kept_with_their_address(client: Client, administrator: User) -> None:
    fail(client, times=1)
    sign_in(client, "root")
    assert FailedSignIn.objects.values_list("username", "ip_address").get() == ("root", HERE)
    assert SignIn.objects.values_list("username", "ip_address", "logout_time").get() == ("root", HERE, None)
    client.post("/admin/logout/")
    assert SignIn.objects.get().logout_time is not None


def test_an_administrator_lifts_a_lock_and_that_is_written_down(
    client: Client, root: Client, administrator: User, member: Any
) -> None:
    user = member("Marketing")
    fail(client, user.username)
    sign_in(Client(), user.username, "wrong", HTTP_USER_AGENT="another browser")
    row = SignInLock.objects.get()
    html = root.get(list_of(SignInLock)).content.decode()
    assert "locked until" in html
    assert act(root, row, "unlock") == ["1 lock lifted."]
    assert not SignInLock.objects.exists()
    assert sign_in(client, user.username).status_code == 302
    assert trail_of(row)[0][0] == administrator.username
    assert trail_of(row)[0][1].startswith(f"Lifted the lock of {user.username}")
    fail(client, "one")
    fail(client, "two")
    act_on_selected(root, list(SignInLock.objects.all()), "unlock_selected")
    assert not SignInLock.objects.exists()


@pytest.mark.parametrize("role", ["Marketing", "Operations", "Auditor"])
def test_others_lift_no_lock(browser: Any, member: Any, client: Client, role: str) -> None:
    fail(client, "someone")
    row = SignInLock.objects.get()
    other = browser(member(role))
    seen = other.get(page_of(row)).status_code
    assert seen == (200 if role == "Auditor" else 403)
    assert other.post(page_of(row).replace("/change/", "/unlock/"), {"_form_submitted": "1"}).status_code in (302, 403)
    act_on_selected(other, [row], "unlock_selected")
    assert SignInLock.objects.filter(pk=row.pk).exists()


def test_a_lock_holds_without_redis(client: Client, administrator: User, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert fail(client).status_code == 429
    assert sign_in(client, "root").status_code == 429


def test_whoever_is_asked_in_code_is_locked_too(client: Client, administrator: User) -> None:
    fail(client)
    request = RequestFactory().post("/admin/login/", REMOTE_ADDR=HERE)
    assert authenticate(request, username="root", password=PASSWORD) is None
