"""Signing in as a browser does, with codes as a phone makes them."""

import time
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp

from merchants import two_factor
from merchants.models import Authenticator
from tests.people.conftest import PASSWORD

LOGIN, CODE, SET_UP, STATE = (
    "/admin/login/",
    "/admin/two-factor/code/",
    "/admin/two-factor/set-up/",
    "/admin/two-factor/",
)


def sign_in(client: Client, name: str, password: str = PASSWORD, address: str = "192.0.2.1", **more: Any) -> Any:
    """Send the sign-in form."""
    return client.post(LOGIN, {"username": name, "password": password, **more.pop("data", {})},
                       REMOTE_ADDR=address, **more)  # fmt: skip


def browser_at(name: str, language: str = "en") -> Client:
    """A browser in which someone has given name and password."""
    client = Client(headers={"accept-language": language})
    assert sign_in(client, name).status_code == 302
    return client


def phone(user: User) -> Authenticator:
    """A phone that is set up, whose codes have not been used yet."""
    return Authenticator.objects.create(user=user, name="phone", confirmed=True)


def code_of(device: Authenticator, steps: int = 0) -> str:
    """What the phone shows now, or some steps of thirty seconds from now."""
    return f"{totp(device.bin_key, t0=-steps * 30):06d}" if steps else f"{totp(device.bin_key):06d}"


def wrong_code_of(device: Authenticator) -> str:
    """One that is none of those that are taken now."""
    near = {code_of(device, steps) for steps in range(-3, 4)}
    return next(f"{number:06d}" for number in range(10) if f"{number:06d}" not in near)


def later(device: Authenticator) -> None:
    """Let the pause after a wrong code be over."""
    Authenticator.objects.filter(pk=device.pk).update(throttling_failure_timestamp=None)


def age(client: Client, **seconds: int) -> None:
    """Let the session have begun, or been used, so many seconds ago."""
    session = client.session
    for key, back in seconds.items():
        session[key] = int(time.time()) - back
    session.save()


def with_recovery_codes(user: User) -> list[str]:
    """New codes on paper."""
    return two_factor.new_recovery_codes(user)
