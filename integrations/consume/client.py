"""The two calls to a smart-coupon platform: fetch a token, report redeemed coupons. No database here.

Tokens do not expire, so one is kept and fetched anew only where the platform refuses it. The credentials travel in the
address of the token call (it is the platform's own protocol), so no error's text of that call is ever kept.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from integrations.consume.codes import SUCCESS, classify, classify_http
from integrations.dfire.codes import ResultClass
from integrations.dfire.exchange import storable
from integrations.dfire.transport import HttpAnswer, Transport, TransportError

TOKEN_PATH, REPORT_PATH = "/tp/services/token", "/tp/services/consume_coupon"
_MOST_SAID = 500
_transport = Transport(pool_size=4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report. `access_token` is the one to keep; `answered` whether the platform said anything."""

    result: ResultClass
    code: str = ""
    message: str = ""
    access_token: str = field(default="", repr=False)
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where an account reports, and as whom."""

    base_url: str
    app_id: str
    app_secret: str = field(repr=False)


def report(where: Credentials, codes: Sequence[str], *, access_token: str) -> Outcome:
    """Report the coupons with these codes, with the token that is known; a refused one is fetched anew, once.

    Takes at most three times CONSUME_TIMEOUT_SECONDS. Never raises for anything that the other side does.
    """
    if access_token:
        outcome = _report(where, codes, access_token)
        if outcome.result is not ResultClass.CONFIGURATION:
            return outcome
    fetched = _fetch_token(where)
    if fetched.result is not ResultClass.OK:
        return fetched
    return _report(where, codes, fetched.access_token)


def _report(where: Credentials, codes: Sequence[str], access_token: str) -> Outcome:
    body = json.dumps({"coupon_id_list": list(codes)}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"bearer {access_token}"}
    try:
        answer = _transport.post(
            _address(where, REPORT_PATH), body=body, headers=headers, timeout=settings.CONSUME_TIMEOUT_SECONDS
        )
    except (TransportError, ValueError) as error:
        return _no_answer(error, keep=access_token)
    outcome, _result = _read(answer)
    return Outcome(outcome.result, outcome.code, outcome.message, access_token)


def _fetch_token(where: Credentials) -> Outcome:
    query = urlencode({"app_id": where.app_id, "app_secret": where.app_secret})
    try:
        answer = _transport.get(f"{_address(where, TOKEN_PATH)}?{query}", timeout=settings.CONSUME_TIMEOUT_SECONDS)
    except (TransportError, ValueError) as error:
        return _no_answer(error)
    outcome, result = _read(answer)
    if outcome.result is not ResultClass.OK:
        return outcome
    token = result.get("access_token") if isinstance(result, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        return Outcome(ResultClass.UNCERTAIN, outcome.code, "The answer has no access_token.")
    return Outcome(ResultClass.OK, outcome.code, outcome.message, token)


def _read(answer: HttpAnswer) -> tuple[Outcome, Any]:
    """The outcome and the answer's `result`, whatever was answered."""
    try:
        data = json.loads(answer.body)
        status = data["status"]
        code, message = str(status["code"]), storable(str(status.get("message") or ""), limit=_MOST_SAID)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Outcome(classify_http(answer.status), "", f"HTTP {answer.status}, not in the platform's form."), None
    result = classify(code)
    if code == SUCCESS and answer.status >= 400:
        result = classify_http(answer.status)
    return Outcome(result, storable(code, limit=50), message), data.get("result")


def _no_answer(error: Exception, keep: str = "") -> Outcome:
    """Only the kind of error: its words name the address, and that of the token call holds the secret."""
    kind = str(error).partition(":")[0] if isinstance(error, TransportError) else type(error).__name__
    refused = isinstance(error, TransportError) and error.certificate_refused
    result = ResultClass.CONFIGURATION if refused or isinstance(error, ValueError) else ResultClass.UNCERTAIN
    return Outcome(result, "", f"No answer: {storable(kind, limit=100)}.", keep, answered=False)


def _address(where: Credentials, path: str) -> str:
    return where.base_url.rstrip("/") + path
