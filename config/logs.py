"""How every line of the log looks: one formatter for all loggers (ours, Django's, Celery's and the web servers').

The last step before a line is written takes out what must not stand in a log, whoever wrote it. Knows nothing of
Django, because the web servers' own processes load it too (`config/server_logs.json`).
"""

import logging
import os
import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FORMATS = ("json", "console")
_LONGEST_VALUE = 16_000  # characters; a long traceback fits
_LONGEST_ID = 10**10  # a number beyond it may be a mobile number or a code
_FIRST = ("timestamp", "level", "event", "logger")

_SECRETS = re.compile(
    r"""
      (?P<address>/hooks/smart-coupon/)(?!<str:token>/)[^/\s'"\\]+    # a push address's token, not its route
    | (?P<mobile>(?<![0-9A-Za-z])(?:\+?86-?)?1[3-9][0-9])[0-9]{4}(?P<last>[0-9]{4})(?![0-9A-Za-z])
    | (?<![0-9A-Za-z])[0-9]{12}(?P<code>[0-9]{4})(?![0-9A-Za-z])       # a coupon's code: who has it can redeem it
    | (?P<login>://[^/\s:@'"]*:)[^@\s/'"]+(?=@)                        # the password in an address
    | (?P<detail>\bDETAIL:|\bFailing\ row\ contains)[^\n]*             # PostgreSQL quotes whole rows
    | (?P<scheme>\b(?:Bearer|Api-Key)\s+)\S+
    | (?P<named>\b(?:\w*(?:secret|password|token|api_?key)|sign)['"]?\s*[=:]\s*['"]?)[^\s&'",;)}]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SECRET_KEY = re.compile(r".*(secret|password|token|authorization|api_?key)|sign", re.IGNORECASE)


def mask(text: str) -> str:
    """The text without tokens, passwords, signatures, coupon codes and whole mobile numbers; cut where very long."""
    return _SECRETS.sub(_masked, text[:_LONGEST_VALUE])


def _masked(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "last":
        return f"{found['mobile']}****{found['last']}"
    if kind == "code":
        return f"************{found['code']}"
    return f"{found[kind]}***" if kind else "***"


def _mask_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LONGEST_ID else mask(str(value))
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {str(key): _mask_named(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask_value(each) for each in value]
    return mask(str(value))


def _mask_named(key: str, value: Any) -> Any:
    return "***" if value and _SECRET_KEY.fullmatch(key) else _mask_value(value)


def _finish(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Mask every value, and put what is read first at the front."""
    ordered = {key: event.pop(key) for key in _FIRST if key in event}
    ordered.update(event)
    return {key: _mask_named(key, value) for key, value in ordered.items()}


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def formatter(look: str = "") -> logging.Formatter:
    """The formatter of every handler, `json` or `console`; unnamed, what LOG_FORMAT says."""
    look = look or os.environ.get("LOG_FORMAT", "") or "json"
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        if look == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _finish,
            renderer,
        ],
    )


def configure() -> None:
    """Send what is written with structlog, and Python's warnings, through the standard library's loggers."""
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def settings(look: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error by the root's one handler."""
    to_root: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.formatter", "look": look}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django": to_root,
            "django.server": to_root,
            # Each request has one line already, a failed one with its traceback (`config.request_log`).
            "django.request": {"level": "CRITICAL"},
            "_granian": to_root,
            "gunicorn.error": to_root,
            "gunicorn.access": to_root,
            # Doorbells and clocks ring every second or two; what they do has lines of its own, a failure too.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "CRITICAL"},
            "celery.beat": {"level": "WARNING"},
        },
    }
