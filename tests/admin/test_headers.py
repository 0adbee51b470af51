"""Every answer tells the browser what it may do with it, whoever gives the answer: a page, a hook, a file, an error.
No page needs an inline script, which the policy would not run.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from tests.admin.conftest import World
from tests.admin.pages import add_of, list_of, page_of

CLOSED = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
}
OUTSIDE = [
    ("get", "/healthz", 200),
    ("get", "/metrics", 200),
    ("get", "/api/schema/", 200),
    ("get", "/api/v1/coupons/", 401),
    ("get", "/hooks/dfire/", 405),
    ("get", "/hooks/smart-coupon/nobody/coupon/", 405),
    ("get", "/nowhere", 404),
    ("get", "/static/nothing.css", 404),
    ("get", "/", 302),
]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style\b|\son[a-z]+=[\"']|javascript:", re.I)


def policy(response: Any) -> dict[str, list[str]]:
    """The policy of an answer, word by word."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: words for name, *words in parts}


def assert_guarded(response: Any) -> None:
    """What every answer has."""
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert policy(response)["frame-ancestors"] == policy(response)["base-uri"] == ["'none'"]
    assert policy(response)["default-src"] == ["'none'"]  # plugins, workers, frames and media with it


def assert_page(response: Any, address: str) -> None:
    """What every page of the admin has."""
    assert response.status_code == 200, address
    assert_guarded(response)
    assert "no-store" in response["Cache-Control"]
    assert policy(response)["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy(response)["style-src"] == ["'self'"]
    found = INLINE.search(response.content.decode())
    assert not found, (address, response.content.decode()[found.start() - 100 : found.end() + 100])


@pytest.mark.parametrize(("method", "address", "status"), OUTSIDE)
def test_outside_the_admin_everything_is_closed(
    client: Client, transactional_db: None, method: str, address: str, status: int
) -> None:
    response = getattr(client, method)(address)
    assert response.status_code == status
    assert_guarded(response)
    assert policy(response) == CLOSED
    assert "no-store" in response["Cache-Control"]


def test_static_files_are_closed_too(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "picture.svg").write_text("<svg/>")
    settings.STATIC_ROOT = tmp_path
    response = Client().get("/static/picture.svg")
    assert response.status_code == 200
    assert_guarded(response)
    assert policy(response) == CLOSED
    assert Client().get("/static/%2e%2e/%2e%2e/etc/passwd").status_code == 404
    assert Client().get("/static/..%2f..%2fetc/passwd").status_code == 404


def test_pages_of_the_admin_hold_nothing_inline(root: Client, world: World) -> None:
    for model in admin.site._registry:
        row = model._default_manager.order_by("pk").last()
        pages = {list_of(model): root.get(list_of(model))}
        may_lack = [add_of(model)]
        if row is not None:
            shown = [page_of(row), page_of(row).replace("/change/", "/history/")]
            pages |= {address: root.get(address) for address in shown}
            may_lack.append(page_of(row).replace("/change/", "/delete/"))
        for address in may_lack:
            response = root.get(address)
            pages |= {address: response} if response.status_code == 200 else {}
        for address, response in pages.items():
            assert_page(response, address)


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/settlement/", "/admin/two-factor/set-up/", "/admin/password_change/"]
)
def test_other_pages_of_the_admin_hold_nothing_inline_either(root: Client, world: World, address: str) -> None:
    assert_page(root.get(address), address)


def test_the_sign_in_page_holds_nothing_inline(client: Client, db: None) -> None:
    assert_page(client.get("/admin/login/"), "sign-in")


def test_the_page_of_the_description_runs_our_scripts_alone(client: Client, db: None) -> None:
    response = client.get("/api/docs/")
    assert_guarded(response)
    assert policy(response)["script-src"] == ["'self'"]
    assert not INLINE.search(response.content.decode())
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/schema/" in script.content.decode()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_files_are_not_kept_by_browsers(root: Client, world: World, form: str) -> None:
    response = root.get(f"/admin/coupons/issuedcoupon/export-{form}/")
    assert response["Content-Disposition"].startswith("attachment; filename")
    assert_guarded(response)
    assert "no-store" in response["Cache-Control"]
