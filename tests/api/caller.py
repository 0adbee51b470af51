"""Calling the API as a partner does."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client
from django.test.client import ClientHandler

from coupons.models import CouponEvent, IssuedCoupon
from integrations.models import ApiKey, OutboxRow, PartnerApp
from integrations.models.partners import Scope
from merchants.models import Customer, Merchant
from merchants.secrets import digest, keyed_hashes

ROOT = "/api/v1/"
_PORTAL = ClientHandler(enforce_csrf_checks=True)
WRITTEN = (IssuedCoupon, CouponEvent, Customer, OutboxRow)


@dataclass
class Caller:
    """One app with its key."""

    app: PartnerApp
    key: str

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Any call; a body that is not bytes goes as JSON, headers are named as in WSGI without HTTP_."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        extra: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Api-Key {self.key}", "HTTP_ACCEPT_LANGUAGE": "en", **named}
        client = Client(raise_request_exception=False)  # as a real one would see a fault
        client.handler = _PORTAL
        return client.generic(method, path if path.startswith("/") else ROOT + path, raw,
                    content_type=extra.pop("HTTP_MEDIA", "application/json"), **extra)  # fmt: skip

    def get(self, path: str, **headers: str) -> Any:
        """A GET."""
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """A POST."""
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        """A PUT."""
        return self.send("PUT", path, body, **headers)


def caller_of(name: str, *merchants: Merchant, scopes: Iterable[str] = Scope.values) -> Caller:
    """An app for these merchants with a key of its own."""
    app = PartnerApp.objects.create(name=name, scopes=list(scopes))
    app.merchants.add(*merchants)
    key = f"cp_{name}-0123456789"
    ApiKey.objects.create(app=app, prefix=key[:8], key_hash=keyed_hashes(digest(key))[0], digest=digest(key))
    return Caller(app, key)


def refused(answer: Any) -> tuple[int, str, str | None]:
    """Status, code and field of a refusal, which has exactly the contract's form and one error."""
    errors = errors_of(answer)
    assert len(errors) == 1, errors
    return (answer.status_code, *errors[0])


def errors_of(answer: Any) -> list[tuple[str, str | None]]:
    """Codes and fields of a refusal."""
    said = answer.json()
    assert list(said) == ["type", "errors"], said
    assert all(list(error) == ["code", "detail", "attr"] for error in said["errors"]), said
    expected = {4: "client_error", 5: "server_error"}[answer.status_code // 100]
    assert said["type"] in {expected, "validation_error"}
    assert (said["type"] == "validation_error") <= (answer.status_code == 400)
    assert all(error["detail"] for error in said["errors"])
    return [(error["code"], error["attr"]) for error in said["errors"]]


def issue_body(coupon: str, **changes: Any) -> dict[str, Any]:
    """A call to issue."""
    return {"merchant_id": "88", "coupon_id": coupon, "identifier": "13800138000", **changes}


def written() -> dict[str, int]:
    """How much there is of everything that calls can make."""
    tables = [model._meta.db_table for model in WRITTEN]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))
        return dict(zip(tables, cursor.fetchone(), strict=True))
