"""What is given over https stays there, and nobody but a trusted proxy says what a connection is."""

import json
import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as current
from django.contrib.auth.models import User
from django.test import Client

from config.environment import networks

HTTPS = {"secure": True}
PROXIED = {"HTTP_X_FORWARDED_PROTO": "https"}
_SHOWN = """
import json, django
from django.conf import settings
django.setup()
names = [name for name in dir(settings) if name.endswith(("_COOKIE_NAME", "_COOKIE_SECURE", "_COOKIE_HTTPONLY"))]
print(json.dumps({name: getattr(settings, name) for name in [*names, "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT"]}))
"""


def as_in_production(*command: str, **environment: str) -> str:
    """What a command prints with the settings that an operator would give, and nothing of this machine's."""
    names = ("PATH", "HOME", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    own = {"SECRET_KEY": secrets.token_urlsafe(48), "ALLOWED_HOSTS": "coupons.example.com", "FORCE_HTTPS": "on"}
    done = subprocess.run(
        [sys.executable, *command], cwd=current.BASE_DIR, capture_output=True, text=True, timeout=60, check=False,
        env={**kept, **own, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_check_of_a_deployment_finds_nothing() -> None:
    assert "no issues (0 silenced)" in as_in_production("manage.py", "check", "--deploy", "--fail-level", "WARNING")


def test_with_https_forced_cookies_are_bound_to_this_host_and_to_https() -> None:
    shown = json.loads(as_in_production("-c", _SHOWN).splitlines()[-1])
    assert (shown["SESSION_COOKIE_NAME"], shown["CSRF_COOKIE_NAME"]) == ("__Host-sessionid", "__Host-csrftoken")
    assert shown["SECURE_SSL_REDIRECT"] is True
    assert shown["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert all(value for name, value in shown.items() if name.endswith(("_SECURE", "_HTTPONLY")))


def test_over_plain_http_cookies_have_their_usual_names() -> None:
    shown = json.loads(as_in_production("-c", _SHOWN, FORCE_HTTPS="off").splitlines()[-1])
    assert (shown["SESSION_COOKIE_NAME"], shown["CSRF_COOKIE_NAME"]) == ("sessionid", "csrftoken")


@pytest.mark.parametrize("how", [{}, HTTPS])
def test_no_script_reads_a_cookie_and_no_other_site_sends_one(db: None, how: Any) -> None:
    User.objects.create_superuser("root", password="x")
    client = Client()
    client.get("/admin/login/", **how)
    client.post("/admin/login/", {"username": "root", "password": "x"}, **how)
    client.post("/i18n/setlang/", {"language": "en", "next": "/admin/"}, **how)
    assert {"csrftoken", "sessionid", "django_language"} <= set(client.cookies)
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie
        assert cookie["samesite"] == "Lax", cookie
        assert bool(cookie["secure"]) == bool(how), cookie


@pytest.fixture
def behind_a_proxy(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of someone whose proxy at 10.0.0.1 speaks https, and redirects."""
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.1")
    settings.TRUSTED_PROXIES = networks("TRUSTED_PROXIES")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.1", 200), ("203.0.113.9", 301), ("", 200), ("2001:db8::1", 301)])
def test_a_stranger_cannot_say_that_a_connection_is_https(
    behind_a_proxy: None, db: None, peer: str, status: int
) -> None:
    assert Client(REMOTE_ADDR=peer, **PROXIED).get("/admin/login/").status_code == status


@pytest.mark.parametrize("peer", ["10.0.0.1", "203.0.113.9"])
def test_nobody_says_another_host_than_that_of_the_request(behind_a_proxy: None, db: None, peer: str) -> None:
    client = Client(REMOTE_ADDR=peer, HTTP_X_FORWARDED_HOST="evil.example")
    assert client.get("/admin/login/")["Location"] == "https://testserver/admin/login/"
    assert Client(HTTP_HOST="evil.example").get("/admin/login/").status_code == 400


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_and_changing_the_language_lead_to_no_other_site(db: None, target: str) -> None:
    User.objects.create_superuser("root", password="x")
    signed_in = Client().post("/admin/login/", {"username": "root", "password": "x", "next": target})
    assert signed_in["Location"] == "/admin/"
    switched = Client().post("/i18n/setlang/", {"language": "en", "next": target})
    assert switched["Location"] == "/"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_form_of_another_site_changes_nothing_and_is_told_so(db: None, language: str) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept-language": language})
    response = client.post("/admin/login/", {"username": "root", "password": "x"})
    html = response.content.decode()
    assert response.status_code == 403
    assert "portal/error.css" in html
    assert "<script" not in html
    assert "The form is no longer valid" in html or language != "en"


def test_an_error_says_nothing_of_the_inside(db: None) -> None:
    for response in (
        Client().get("/nowhere"),
        Client(HTTP_HOST="evil.example").get("/admin/login/"),
        Client().post("/i18n/setlang/", b"", "multipart/form-data; boundary=x", CONTENT_LENGTH=str(2 << 20)),
    ):
        html = response.content.decode()
        assert "portal/error.css" in html
        assert not [word for word in ("Django", "Traceback", "django", "Exception", "evil.example") if word in html]


@pytest.mark.parametrize("header", ["HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD"])
def test_no_header_makes_another_method_of_a_request(db: None, header: str) -> None:
    assert Client(**{header: "POST"}).get("/hooks/dfire/").status_code == 405
    assert Client(**{header: "DELETE"}).post("/api/v1/coupon-templates/").status_code in (401, 405)
