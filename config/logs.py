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

_LONG_NUMBER = re.compile(r"[0-9]{11}")
_HARMLESS = re.compile(r"[A-Za-z_.]{0,100}|[0-9]{0,10}")  # most values are words of our own
_MOBILE = re.compile(r"(?<![0-9A-Za-z])((?:\+?86-?)?1[0-9][0-9])[0-9]{4}([0-9]{4})(?![0-9A-Za-z])")
_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9]{12}([0-9]{4})(?![0-9A-Za-z])")  # of a coupon: who has it can redeem it
# Words without which there is nothing to look for (most texts have none of them), what to look for, what to leave.
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # A push address's token; its route has none.
    (("/smart-coupon/",), re.compile(r"(/hooks/smart-coupon/)(?!<str:token>/)[^/\s'\"\\]+"), r"\1***"),
    (("://",), re.compile(r"(://[^/\s:@'\"]*:)[^@\s/'\"]+(?=@)"), r"\1***"),  # the password in an address
    # PostgreSQL quotes whole rows.
    (("detail:", "failing row"), re.compile(r"(\bDETAIL:|\bFailing row contains)[^\n]*"), r"\1***"),
    (("bearer ", "api-key "), re.compile(r"\b(Bearer |Api-Key )\s*\S+", re.IGNORECASE), r"\1***"),
    (
        ("secret", "password", "token", "sign", "api_key", "apikey", "key="),
        re.compile(
            r"((?:secret|password|token|api_?key|(?<![A-Za-z])sign|[?&]key)['\"]?\s*[=:]\s*['\"]?)[^\s&'\",;)}>]+",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
)
_SECRET_KEYS = ("secret", "password", "token", "authorization", "api_key")


def mask(text: str) -> str:
    """The text without tokens, passwords, signatures, coupon codes and whole mobile numbers; cut where very long."""
    text = text[:_LONGEST_VALUE]
    if _HARMLESS.fullmatch(text):
        return text
    lowered = text.lower()
    for words, pattern, instead in _RULES:
        if any(word in lowered for word in words):
            text = pattern.sub(instead, text)
    if _LONG_NUMBER.search(text):
        text = _CODE.sub(r"************\1", _MOBILE.sub(r"\1****\2", text))
    return text


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
    named = key.lower()
    return "***" if value and (named == "sign" or named.endswith(_SECRET_KEYS)) else _mask_value(value)


def _finish(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Mask every value, and put what is read first at the front."""
    ordered = {key: event.pop(key) for key in _FIRST if key in event}
    ordered["event"] = _mask_value(ordered.get("event", ""))
    ordered.update((key, _mask_named(key, value)) for key, value in event.items())
    return ordered


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
            "axes": {"level": "WARNING"},  # sign-ins are kept in tables; locks and failures are worth a line
            "pyBarcode": {"level": "WARNING"},  # else each process says at its start that it draws no pictures
        },
    }
