"""Signatures of webhooks by the Standard Webhooks specification, made by its own library."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from integrations.signatures.differences import MARK, difference, without_secrets
from integrations.signatures.reports import Report, Unreadable, Verdict
from integrations.signatures.trials import Trial, found_by, secret_trials

METHOD = "HMAC-SHA-256"
ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_VERSION = "v1,"
_HEADER = re.compile(r"\s*[\"']?([A-Za-z-]+)[\"']?\s*[:=]\s*(.*?)\s*\Z")
_SECONDS = re.compile(r"[0-9]{1,12}\Z")


def examine(
    headers: str, body: str, live: Sequence[str], *, theirs: str = "", others: Mapping[str, str] | None = None
) -> Report:
    """Look at a webhook: its headers, one a line, and its body as it was received.

    Args:
        live: the endpoint's secrets that sign now, the newest first; each begins with whsec_.
        theirs: the text that the other side says it signs.
        others: other endpoints' secrets by their names.

    Raises:
        Unreadable: a header is missing or none, or our secret signs nothing.
    """
    said = _read(headers)
    webhook_id, moment = said.get(ID, ""), said.get(TIME, "")
    if not webhook_id:
        raise Unreadable(_("The header webhook-id is missing."), field="headers")
    if not _SECONDS.match(moment):
        words = _("The header webhook-timestamp must be a time in whole seconds since 1970.")
        raise Unreadable(words, field="headers")
    secret = live[0]
    expected = [signature for one in live for signature in _signed(one, webhook_id, moment, body)]
    if not expected:
        raise Unreadable(_("Our stored secret is no base64 behind whsec_: nothing can be signed."), field="account")
    canonical = f"{webhook_id}.{moment}.{body}"
    given = said.get(SIGNATURE, "")
    report = Report(
        verdict=Verdict.MISSING, method=METHOD, canonical=[canonical], expected=expected, given=given,
        facts=[(_("signed"), f"{datetime.fromtimestamp(int(moment), UTC):%Y-%m-%d %H:%M:%S} UTC")],
    )  # fmt: skip
    if given:
        report.verdict = Verdict.RIGHT if set(expected) & set(given.split(" ")) else Verdict.WRONG
    if report.verdict is Verdict.WRONG:
        trials = list(_trials(said, body, secret, others or {}))
        report.hints += _forms(given, expected[0]) or found_by(trials, given.split(" ")[0])
    if theirs:
        report.difference = difference(canonical, without_secrets(theirs, live).replace(MARK, ""))
    return report


def _signed(secret: str | bytes, webhook_id: str, moment: str, body: str) -> list[str]:
    """The library's signature; none where the secret cannot be used."""
    try:
        return [Webhook(secret).sign(webhook_id, datetime.fromtimestamp(int(moment), UTC), body)]
    except (ValueError, binascii.Error, OverflowError, OSError, EmptyWebhookSecretError):
        return []


def _trials(said: Mapping[str, str], body: str, secret: str, others: Mapping[str, str]) -> Iterator[Trial]:
    webhook_id, moment = said[ID], said[TIME]

    def sign(other: str) -> list[str]:
        return _signed(other, webhook_id, moment, body)

    yield from secret_trials(sign, secret, others)
    plain = secret.strip()
    for words, raw in (
        (_("They signed with the secret as text: behind whsec_ it is base64."), plain.encode()),
        (_("They signed with the secret as text: behind whsec_ it is base64."), plain.removeprefix("whsec_").encode()),
    ):
        yield words, partial(_signed, raw, webhook_id, moment, body)
    for words, changed in _bodies(body):
        if changed != body:
            yield words, partial(_signed, secret, webhook_id, moment, changed)


def _bodies(body: str) -> Iterator[tuple[Any, str]]:
    """The body as it is often written again before it is signed or verified."""
    again = _("They signed the body as it was written anew from its JSON: sign the bytes as they were received.")
    yield _("They signed the body with a line break behind it."), f"{body}\n"
    yield _("They signed the body without the blanks around it."), body.strip()
    yield _("They signed other line breaks than were sent."), body.replace("\r\n", "\n")
    yield _("They signed other line breaks than were sent."), body.replace("\r\n", "\n").replace("\n", "\r\n")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    for escaped in (True, False):
        yield again, json.dumps(value, ensure_ascii=escaped)
        yield again, json.dumps(value, ensure_ascii=escaped, separators=(",", ":"))
        yield again, json.dumps(value, ensure_ascii=escaped, indent=2)
        yield again, json.dumps(value, ensure_ascii=escaped, separators=(",", ":"), sort_keys=True)


def _forms(given: str, expected: str) -> list[Any]:
    """What is odd about the given signature by its form alone."""
    digest = expected.removeprefix(_VERSION)
    words = given.split()
    if digest in words:
        return [_("The version is missing: a signature begins with v1 and a comma.")]
    if base64.b64decode(digest).hex() in given.lower():
        return [_("The signature is in hexadecimal digits: it must be base64.")]
    if digest.replace("+", "-").replace("/", "_").rstrip("=") in (
        word.removeprefix(_VERSION).rstrip("=") for word in words
    ):
        return [_("The signature is in the base64 of addresses (- and _): it must be plain base64, with its = signs.")]
    if expected.casefold() in given.casefold():
        return [gettext("Only upper and lower case differ.")]
    return []


def _read(headers: str) -> dict[str, str]:
    """The headers by their names in small letters; lines that are none are refused."""
    found: dict[str, str] = {}
    for line in headers.strip().splitlines():
        if not line.strip():
            continue
        match = _HEADER.match(line.strip().rstrip(","))
        if match is None:
            raise Unreadable(gettext("This is no header: %(line)s") % {"line": line[:60]}, field="headers")
        found[match[1].lower()] = match[2].strip("\"'")
    return found
