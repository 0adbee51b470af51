"""Everywhere that a secret could have got to: every column of every table, every key of Redis, files, pages, reprs."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client
from redis import Redis

from tests.admin.pages import list_of, page_of


def forms_of(secret: str) -> set[str]:
    """A secret as it could stand somewhere: as it is, quoted, or in one of the usual codings; in lower case."""
    raw = secret.encode()
    return {
        form.lower()
        for form in (
            secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], raw.hex(),
            base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="),
            base64.b32encode(raw).decode().rstrip("="), secret[::-1],
        )
    }  # fmt: skip


def found_in(places: Iterable[tuple[str, str]], secrets: dict[str, str]) -> list[str]:
    """Which secret stands where."""
    forms = {name: forms_of(secret) for name, secret in secrets.items()}
    return [
        f"{name}: {place}"
        for place, text in places
        for name, known in forms.items()
        if any(form in text.lower() for form in known)
    ]


def tables() -> Iterator[tuple[str, str]]:
    """Every row of every table, whoever made it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                yield table, json.dumps(json.loads(row), ensure_ascii=False)


def values() -> set[str]:
    """Every text in the database, those inside of JSON too."""
    return {text for _table, row in tables() for text in _texts(json.loads(row))}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
        if value[:1] in "{[":
            try:
                yield from _texts(json.loads(value))
            except ValueError:
                return


def redis() -> Iterator[tuple[str, str]]:
    """Every key of Redis with its value: doorbells, counts, caches."""
    server = Redis.from_url(settings.REDIS_URL)
    for key in server.scan_iter():
        read = {b"string": server.get, b"list": lambda name: server.lrange(name, 0, -1), b"set": server.smembers,
                b"hash": server.hgetall}.get(server.type(key))  # fmt: skip
        yield f"redis {key.decode(errors='replace')}", f"{key!r} {read(key) if read else ''!r}"


def words_of_rows() -> Iterator[tuple[str, str]]:
    """How every row calls itself, as a traceback or a log line would."""
    for model in apps.get_models():
        for row in model._default_manager.all():
            yield f"repr {model._meta.label}", f"{row!r} {row}"


def pages(client: Client) -> Iterator[tuple[str, str]]:
    """Every list, every row's page and history, and every list as a file."""
    for model in sorted(admin.site._registry, key=lambda one: one._meta.label):
        addresses = [list_of(model), f"{list_of(model)}export-csv/"]
        for row in model._default_manager.all()[:5]:
            addresses += [page_of(row), page_of(row).replace("/change/", "/history/")]
        for address in addresses:
            answer = client.get(address, follow=True)
            assert answer.status_code in (200, 403), address
            yield address, answer.getvalue().decode()
