"""A call's bounds stay on its connection for the next call, and are gone before anything else uses it."""

import pytest
from django.conf import settings
from django.core.signals import request_started
from django.db import connection

from integrations.hooks.database import within_time

pytestmark = pytest.mark.django_db(transaction=True)
NONE = ("0", "0")


def bounds() -> tuple[str, str]:
    """How long PostgreSQL waits for a lock and works on a statement here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        found: tuple[str, str] = cursor.fetchone()
    return found


def begins(path: str) -> None:
    """A request to this address begins in this thread."""
    request_started.send(None, environ={"PATH_INFO": path})


@pytest.mark.parametrize("path", ["/admin/", "/healthz", "/api/docs/", "/hooks"])
def test_what_is_no_call_may_take_its_time(path: str) -> None:
    assert bounds() == NONE
    with within_time():
        assert bounds() == (f"{settings.HOOK_LOCK_SECONDS}s", f"{settings.HOOK_STATEMENT_SECONDS}s")
    begins(path)
    assert bounds() == NONE


@pytest.mark.parametrize("path", ["/hooks/dfire/", "/api/v1/coupons/"])
def test_from_call_to_call_they_stay_and_a_new_connection_gets_them(path: str) -> None:
    with within_time():
        kept = bounds()
    begins(path)
    assert bounds() == kept
    connection.close()
    with within_time():
        assert bounds() == kept
