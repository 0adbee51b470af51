"""`/healthz`: the process answers. `/readyz`: it can do its work, or says what is missing and why.

Both answer in time whatever the servers do (`config.bounded`), and say nothing of addresses, names or passwords.
dfire is none of this: with dfire down the portal takes pushes and callbacks all the same.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from redis import Redis
from redis.exceptions import RedisError

from config.bounded import Question

LONGEST_SECONDS = 1.5
_REDIS_SECONDS = 1
_KEEP_SECONDS = 1.0
_PENDING_NAMED = 5
OK = "ok"

# Parts of PostgreSQL's and Redis's messages, and what they mean to whoever has to mend it.
_REASONS = {
    "refused": "refuses the connection: not running, or another port",
    "timeout": "does not answer",
    "timed out": "does not answer",
    "authentication": "refuses the user name or password",
    "wrongpass": "refuses the user name or password",
    "noauth": "wants a password",
    "too many": "has no connection left",
    "remaining connection slots": "has no connection left",
    "starting up": "is starting or recovering",
    "recovery": "is starting or recovering",
    "loading": "is starting or recovering",
    "shutting down": "is shutting down",
    "does not exist": "has no such database, user or table",
    "resolve": "its host name is not known",
    "outofmemory": "is out of memory",
    "misconf": "cannot write to its disk",
    "read only": "takes no writes: it is a replica",
    "readonly": "takes no writes: it is a replica",
}


@dataclass(frozen=True, slots=True)
class State:
    """How it is with one part: `ok`, `down`, `pending` or `unknown`, and why."""

    word: str
    why: str = ""


def healthz(request: HttpRequest) -> JsonResponse:
    """Alive; asks nobody."""
    return JsonResponse({"status": OK})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 if database, migrations and broker are fine, else 503; each is named, with the reason where it is not."""
    found = states()
    ready = all(state.word == OK for state in found.values())
    body = {"status": OK if ready else "unavailable", "checks": {name: state.word for name, state in found.items()}}
    if not ready:
        body["reasons"] = {name: state.why for name, state in found.items() if state.why}
    return JsonResponse(body, status=200 if ready else 503)


def states() -> dict[str, State]:
    """What is known of each part, in at most LONGEST_SECONDS."""
    until = time.monotonic() + LONGEST_SECONDS
    database, broker = _database.begin(), _broker.begin()
    found = _in_time(database, until, {"database": State("down", _REASONS["timeout"])})
    found.setdefault("migrations", State("unknown"))
    return found | _in_time(broker, until, {"broker": State("down", _REASONS["timeout"])})


def _in_time(answer: Future[dict[str, State]], until: float, late: dict[str, State]) -> dict[str, State]:
    try:
        return dict(answer.result(max(0.0, until - time.monotonic())))
    except TimeoutError:
        return late


def _ask_database() -> dict[str, State]:
    """On a connection of its own, so that no earlier trouble of a kept one counts."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() == ("on",):
                return {"database": State("down", _REASONS["read only"])}
        return {"database": State(OK), "migrations": _migrations()}
    except ImproperlyConfigured:
        return {"database": State("down", "is not configured")}
    except DatabaseError as error:
        return {"database": State("down", _reason(error))}
    finally:
        connection.close()


def _migrations() -> State:
    applied = MigrationRecorder(connection).applied_migrations()
    pending = [f"{app}.{name}" for app, name in _known_migrations() if (app, name) not in applied]
    if not pending:
        return State(OK)
    more = f" and {len(pending) - _PENDING_NAMED} more" if len(pending) > _PENDING_NAMED else ""
    return State("pending", f"run `manage.py migrate`: {', '.join(pending[:_PENDING_NAMED])}{more}")


@cache
def _known_migrations() -> list[tuple[str, str]]:
    """Those of this release; newer ones that the database has already do no harm."""
    return sorted(MigrationLoader(None).graph.nodes)


def _ask_broker() -> dict[str, State]:
    """Write a word: a full or read-only Redis answers a ping."""
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=_REDIS_SECONDS, socket_timeout=_REDIS_SECONDS
        ) as client:
            client.set("readyz", "1", ex=10)
    except (RedisError, OSError) as error:
        return {"broker": State("down", _reason(error))}
    return {"broker": State(OK)}


def _reason(error: Exception) -> str:
    """Our words for an error; its own may name hosts and users."""
    said = f"{type(error).__name__} {error}".lower()
    return next((why for part, why in _REASONS.items() if part in said), type(error).__name__)


def _question(ask: Callable[[], dict[str, State]]) -> Question[dict[str, State]]:
    return Question(ask, keep_seconds=_KEEP_SECONDS)


_database, _broker = _question(_ask_database), _question(_ask_broker)
