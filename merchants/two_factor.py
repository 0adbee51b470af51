"""The second factor of a member of staff: codes of an app on their phone, and recovery codes on paper.

The codes are checked by django-otp, which takes each of them once and makes whoever guesses wait twice as long after
each wrong one. A dump makes no codes: the phone's key is sealed (`merchants.models.Authenticator`), and recovery codes
are kept as hashes that are made with it. So each phone has its own, and those of the phone before are worth nothing.
"""

import base64
import hashlib
import hmac
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from merchants.models import Authenticator
from merchants.rights import administers

RECOVERY_CODES = 10
_STORED = 16  # hex digits of a hash: so many does django-otp's column hold
_CODE = re.compile(r"[0-9]{6}\Z")
_NAME = "phone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a code: the device that took it, or none; then so many seconds until the next may be tried."""

    device: Any = None
    wait_seconds: int = 0
    recovery: bool = False


def is_required(user: User) -> bool:
    """Whether the user may do nothing without a second factor."""
    return bool(settings.REQUIRE_TWO_FACTOR and administers(user))


def device_of(user: User) -> Authenticator | None:
    """The phone whose codes the user signs in with; None where nothing is set up."""
    found: Authenticator | None = _phones(user).first()
    return found


def check(user: User, text: str) -> Verdict:
    """Try a code of the user's phone, or one of the recovery codes. What was right once is wrong afterwards."""
    typed = _plain(text)
    with transaction.atomic():
        phone = _phones(user).select_for_update().first()
        if phone is None or _CODE.match(typed):
            return _tried(phone, typed)
        paper = StaticDevice.objects.select_for_update().filter(user_id=user.pk).first()
        return _tried(paper, _stored(phone, typed), recovery=True)


def begin(user: User) -> Authenticator:
    """The phone that is being set up; its key stays the same until it is confirmed."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        fresh: Authenticator | None = Authenticator.objects.filter(user_id=user.pk, confirmed=False).first()
        if fresh is None:
            fresh = Authenticator.objects.create(user_id=user.pk, name=_NAME, confirmed=False)
        return fresh


def key_text(device: Authenticator) -> str:
    """The key as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def confirm(user: User, text: str) -> Verdict:
    """Take the new phone into use if it shows the right code; the phone before goes."""
    with transaction.atomic():
        fresh = Authenticator.objects.select_for_update().filter(user_id=user.pk, confirmed=False).first()
        verdict = _tried(fresh, _plain(text))
        if fresh is not None and verdict.device is not None:
            fresh.confirmed = True
            fresh.save(update_fields=["confirmed"])
            Authenticator.objects.filter(user_id=user.pk).exclude(pk=fresh.pk).delete()
        return verdict


def new_recovery_codes(user: User) -> list[str]:
    """Ten new codes, to be shown once; the ones before are worth nothing from now on. The user has a phone."""
    codes = [_recovery_code() for _number in range(RECOVERY_CODES)]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        phone = _phones(user)[0]
        StaticDevice.objects.filter(user_id=user.pk).delete()
        paper = StaticDevice.objects.create(user_id=user.pk, name="paper")
        kept = [StaticToken(device=paper, token=_stored(phone, _plain(code))) for code in codes]
        StaticToken.objects.bulk_create(kept)
    return codes


def recovery_codes_left(user: User) -> int:
    """How many have not been used."""
    return sum(paper.token_set.count() for paper in StaticDevice.objects.filter(user_id=user.pk))


def reset(user: User) -> bool:
    """Forget phone and recovery codes. Returns whether there was anything."""
    with transaction.atomic():
        phones, _rows = Authenticator.objects.filter(user_id=user.pk).delete()
        papers, _rows = StaticDevice.objects.filter(user_id=user.pk).delete()
    return bool(phones or papers)


def _phones(user: User) -> QuerySet[Authenticator]:
    """Those in use: one, which takes the place of the one before."""
    return Authenticator.objects.filter(user_id=user.pk, confirmed=True).order_by("-pk")


def _stored(phone: Authenticator, code: str) -> str:
    """What is kept of a recovery code."""
    return hmac.new(phone.bin_key, f"recovery:{code}".encode(), hashlib.sha256).hexdigest()[:_STORED]


def _tried(device: Any, typed: str, *, recovery: bool = False) -> Verdict:
    if device is None:
        return Verdict()
    if wait := _wait_seconds(device):
        return Verdict(wait_seconds=wait)
    if device.verify_token(typed):
        return Verdict(device, recovery=recovery)
    return Verdict(wait_seconds=_wait_seconds(device))


def _wait_seconds(device: Any) -> int:
    """How long django-otp takes no code after wrong ones: 1, 2, 4, 8 … seconds."""
    allowed, why = device.verify_is_allowed()
    return 0 if allowed else max(0, math.ceil((why["locked_until"] - timezone.now()).total_seconds()))


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _plain(text: str) -> str:
    return re.sub(r"[\s-]", "", text).lower()
