"""Sending one message to one address by apprise, within a bounded time, and saying truthfully what came back.

An address holds keys and passwords. It is decrypted for the call alone; neither it nor any part of it that may be
secret stands in what is said, and apprise's own lines go nowhere else.
"""

import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from apprise import Apprise, NotifyBase, NotifyFormat, NotifyLogEntry, NotifyType
from apprise.exception import AppriseException
from apprise.result import AppriseResultStatus
from django.conf import settings
from django.utils.translation import gettext

from integrations.alerts import robots
from integrations.alerts.words import Message
from integrations.dfire.closed import AddressClosed, judged
from integrations.dfire.connection import lookup
from integrations.models.alerts import NoticeEvent, Severity

# apprise tells what happens to a message by logging, and some of it quotes addresses: it is captured, not printed.
_apprise_log = logging.getLogger("apprise")
_apprise_log.propagate = False
_apprise_log.setLevel(logging.DEBUG)
_apprise_log.addHandler(logging.NullHandler())
robots.register()

_MOST_SAID = 500
_SHORTEST_SECRET = 4
_REASONS = ("Socket Exception", "Response Details")  # apprise's words before an error's or an answer's own
_TYPES = {Severity.WARNING: NotifyType.WARNING, Severity.CRITICAL: NotifyType.FAILURE}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the other side took the message, and what it said (no secrets in it)."""

    taken: bool
    said: str


def service_of(address: str) -> str:
    """The name of the service that an address leads to, such as `E-Mail`; "" if apprise cannot use the address."""
    plugin = _plugin(address)
    return str(plugin.service_name) if plugin is not None else ""


def type_of(event: str, severity: int) -> NotifyType:
    """What apprise calls a message of this kind; services that know colours and icons show it."""
    return NotifyType.SUCCESS if event == NoticeEvent.CLOSED else _TYPES[Severity(severity)]


def send(address: str, message: Message, kind: NotifyType = NotifyType.INFO) -> Outcome:
    """Send the message. Touches the network, not the database: never inside a transaction. Never raises.

    It takes NOTICE_TIMEOUT_SECONDS at most; what is under way then is left behind and counts as failed.
    """
    plugin = _plugin(address)
    if plugin is None:
        return Outcome(False, gettext("The address cannot be used."))
    if _leads_nowhere(plugin):
        return Outcome(False, gettext("The address leads to a place where no notice may go."))
    service = Apprise()
    service.add(plugin)
    try:
        with service.notify(
            body=message.text,
            title=message.title,
            notify_type=kind,
            body_format=NotifyFormat.TEXT,
            timeout=settings.NOTICE_TIMEOUT_SECONDS,
            log_level=logging.DEBUG,
        ) as result:
            lines = [entry.message for service in result for entry in service.logs() if _tells(entry)]
            late = result.status == AppriseResultStatus.TIMEOUT
            taken = bool(result)
    except Exception as error:  # whatever one of its many services lets through, as the last word on this try
        return Outcome(False, _without_secrets(f"{type(error).__name__}: {error}", address))
    if late:
        words = gettext("There was no answer within %(seconds)s seconds.")
        lines.append(words % {"seconds": settings.NOTICE_TIMEOUT_SECONDS})
    return Outcome(taken, _without_secrets(" ".join(lines), address))


def _tells(entry: NotifyLogEntry) -> bool:
    """Whether a line says what came back: all but the most detailed ones, and of those the reasons."""
    return entry.level != "DEBUG" or entry.message.startswith(_REASONS)


def _plugin(address: str) -> NotifyBase | None:
    """apprise's object for an address, with what the address may not decide set to ours."""
    try:
        plugin: Any = Apprise.instantiate(address)
    except (AppriseException, TypeError, ValueError):
        return None
    if plugin is None:
        return None
    longest = float(settings.NOTICE_TIMEOUT_SECONDS) / 2
    plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, longest)
    plugin.socket_read_timeout = min(plugin.socket_read_timeout, longest)
    plugin.redirects = False  # or a server could lead the message, and its keys, to another
    plugin.retry = 0  # the outbox of notices tries again
    plugin.optional = False  # or a failure would be called a success
    return plugin


def _leads_nowhere(plugin: NotifyBase) -> bool:
    """Whether the server that people named is one that no call goes to; apprise says what cannot be looked up."""
    host = getattr(plugin, "host", None)
    try:
        judged(lookup(host, 0, timeout=settings.NOTICE_TIMEOUT_SECONDS) if isinstance(host, str) and host else [])
    except AddressClosed:
        return True
    except OSError:
        return False
    return False


def _without_secrets(said: str, address: str) -> str:
    """The text without anything that stands in the address behind its scheme, but for the host of a server."""
    for secret in sorted(_parts(address), key=len, reverse=True):
        said = said.replace(secret, "***")
    return said[:_MOST_SAID]


def _parts(address: str) -> set[str]:
    try:
        parts = urlsplit(address)
        query = [value for _, value in parse_qsl(parts.query)]
        host = [] if "." in (parts.hostname or "") else [parts.netloc.rpartition("@")[2].partition(":")[0]]
    except ValueError:
        return {address}
    pieces = [parts.username or "", parts.password or "", *host, *parts.path.split("/"), *query]
    pieces += [unquote(piece) for piece in pieces] + re.split(r"[/?&=@:]+", address.partition("://")[2])
    server = parts.hostname if "." in (parts.hostname or "") else ""
    return {address, *(piece for piece in pieces if len(piece) >= _SHORTEST_SECRET and piece != server)}
