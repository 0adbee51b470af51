"""`POST /hooks/dfire/`: a cashier redeemed a coupon (seed 003 §9). Form-encoded, signed over the raw values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from integrations import counters, inbox
from integrations.dfire.signing import canonical_string, verify
from integrations.hooks.bodies import read_body, strict_form
from integrations.hooks.callers import check_rate
from integrations.hooks.refusals import HookCode, HookRefused
from integrations.hooks.view import HookView
from integrations.inbox import Redemption
from merchants.models import DfireAccount
from merchants.secrets import decoy

# The heading's name and the one that its sample prints: both mean this callback.
METHODS = ("dfire.shop.promotion.change.push", "dfire.shop.verify.promotion")
LONGEST_VALUE = 200
LONGEST_NUMBER = 18  # digits; anything longer is a time too far ahead
_KNOWN_FIELDS = (
    *["method", "appKey", "timestamp", "v", "entityId", "promotionId", "openid", "thirdDeliverCode"],
    *["brandEntityId", "plateEntityId"],
)
_NUMBER = re.compile(r"-?[0-9]+\Z")
_FORM = "application/x-www-form-urlencoded"

# dfire's own result codes (PROTOCOLS §1).
RESULT_OK = "000"
RESULT_BAD_CONTENT = "002"
RESULT_BUSY = "009"
RESULT_SIGNATURE = "011"
RESULT_CLOCK = "013"
_RESULT_CODES = {
    HookCode.BAD_SIGNATURE: RESULT_SIGNATURE,
    HookCode.STALE: RESULT_CLOCK,
    HookCode.TOO_MANY: RESULT_BUSY,
    HookCode.UNAVAILABLE: RESULT_BUSY,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The account whose secret signed the form."""

    account: DfireAccount
    form: dict[str, str]


class DfireHook(HookView):
    """Takes a redemption down for good, then answers."""

    def receive(self, request: Request) -> bytes:
        """A form."""
        with _one_code():
            return read_body(request, _FORM)

    def authenticate(self, request: Request, body: bytes, **kwargs: str) -> Caller:
        """The account of the form's `appKey`, if its secret signed the values exactly as they came."""
        with _one_code():
            form = strict_form(body)
        account = DfireAccount.objects.filter(app_key=form.get("appKey", "")).first()
        # An unknown key is checked against a secret too, so that it takes as long as a wrong signature.
        genuine = verify(form, account.app_secret if account else decoy())
        if account is None or not genuine or _is_shifted(form):
            raise HookRefused(HookCode.BAD_SIGNATURE, "签名错误 (signature or appKey)")
        check_rate(f"dfire:{account.pk}")
        return Caller(account, form)

    def handle(self, caller: Caller, body: bytes) -> dict[str, Any]:
        """Record and apply the redemption."""
        callback = inbox.take(caller.account, _redemption(caller.form))
        bind_contextvars(account=caller.account.name, callback_id=callback.pk, callback=callback.state)
        bind_contextvars(coupon_id=callback.coupon_id)  # the id: a code is for its holder alone
        counters.CALLBACKS.labels(callback.state).inc()
        return {"success": True, "resultCode": RESULT_OK, "message": "操作成功!"}

    def refusal_body(self, refusal: HookRefused) -> dict[str, Any]:
        """dfire's own form of a refusal."""
        code = _RESULT_CODES.get(refusal.kind, RESULT_BAD_CONTENT)
        return {"success": False, "resultCode": code, "message": refusal.message}


def _is_shifted(form: dict[str, str]) -> bool:
    """Whether a name and a value may have been cut apart elsewhere than where they were signed.

    They are signed run together, so that `entityId=1` and `entityId1=` have one signature. What was cut elsewhere lacks
    a field whose name stands in what is signed.
    """
    signed = canonical_string(form)
    missing = [name for name in _KNOWN_FIELDS if name not in form]
    return any(name in signed if len(name) > 1 else any(one.startswith(name) for one in form) for name in missing)


@contextmanager
def _one_code() -> Iterator[None]:
    """This caller knows one code for content that cannot be read."""
    try:
        yield
    except HookRefused as refusal:
        raise HookRefused(HookCode.BAD_REQUEST, refusal.message) from None


def _redemption(form: dict[str, str]) -> Redemption:
    """What the signed form says.

    Raises:
        HookRefused: a field is missing, too long, of the wrong kind, or the time is out of bounds.
    """
    if form.get("method") not in METHODS:
        raise HookRefused(HookCode.BAD_REQUEST, "not a redemption callback", field="method")
    sent_at = _sent_at(form.get("timestamp", ""))
    code = form.get("thirdDeliverCode", "").strip()
    if not code:
        raise HookRefused(HookCode.BAD_REQUEST, "missing", field="thirdDeliverCode")
    for name in _KNOWN_FIELDS:  # what dfire may add one day is no reason to refuse a redemption
        if len(form.get(name, "")) > LONGEST_VALUE:
            raise HookRefused(HookCode.BAD_REQUEST, f"longer than {LONGEST_VALUE} characters", field=name)
    if len(code) > inbox.LONGEST_ID:
        raise HookRefused(HookCode.BAD_REQUEST, f"longer than {inbox.LONGEST_ID} characters", field="thirdDeliverCode")
    return Redemption(
        code=code,
        promotion_id=form.get("promotionId", "").strip()[:100],
        entity_id=form.get("entityId", "").strip()[: inbox.LONGEST_ID],
        sent_at=sent_at,
        parameters={name: value for name, value in form.items() if name != "sign"},
    )


def _sent_at(text: str) -> datetime:
    if not _NUMBER.match(text):
        raise HookRefused(HookCode.BAD_REQUEST, "not epoch milliseconds", field="timestamp")
    milliseconds = int(text[:LONGEST_NUMBER])  # cut, it is out of bounds still
    age_seconds = timezone.now().timestamp() - milliseconds / 1000
    if age_seconds > settings.CALLBACK_OLDEST_SECONDS or age_seconds < -settings.CALLBACK_AHEAD_SECONDS:
        raise HookRefused(HookCode.STALE, "too old or too far ahead; check the clock", field="timestamp")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
