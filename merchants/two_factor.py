"""The second factor of a member of staff: codes of an app on their phone, and recovery codes on paper.

The codes are checked by django-otp, which takes each of them once and makes whoever guesses wait twice as long after
each wrong one. Recovery codes are kept as keyed hashes: nobody can read them again, not even in a dump.
"""

import base64
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from merchants.rights import administers
from merchants.secrets import keyed_hashes

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


def device_of(user: User) -> TOTPDevice | None:
    """The phone whose codes the user signs in with; None where nothing is set up."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).order_by("-pk").first()
    return found


def check(user: User, text: str) -> Verdict:
    """Try a code of the user's phone, or one of the recovery codes. What was right once is wrong afterwards."""
    typed = _plain(text)
    with transaction.atomic():
        if _CODE.match(typed):
            phone = (
                TOTPDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=True).order_by("-pk").first()
            )
            return _tried(phone, typed)
        paper = StaticDevice.objects.select_for_update().filter(user_id=user.pk).first()
        if paper is None:
            return Verdict()
        hashes = [found[:_STORED] for found in keyed_hashes(typed)]
        held = paper.token_set.filter(token__in=hashes).first()
        return _tried(paper, held.token if held else hashes[0], recovery=True)


def begin(user: User) -> TOTPDevice:
    """The phone that is being set up; its key stays the same until it is confirmed."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        fresh: TOTPDevice | None = TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).first()
        if fresh is None:
            fresh = TOTPDevice.objects.create(user_id=user.pk, name=_NAME, confirmed=False)
        return fresh


def key_text(device: TOTPDevice) -> str:
    """The key as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def confirm(user: User, text: str) -> Verdict:
    """Take the new phone into use if it shows the right code; the phone before goes."""
    with transaction.atomic():
        fresh = TOTPDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=False).first()
        verdict = _tried(fresh, _plain(text))
        if fresh is not None and verdict.device is not None:
            fresh.confirmed = True
            fresh.save(update_fields=["confirmed"])
            TOTPDevice.objects.filter(user_id=user.pk).exclude(pk=fresh.pk).delete()
        return verdict


def new_recovery_codes(user: User) -> list[str]:
    """Ten new codes, to be shown once; the ones before are worth nothing from now on."""
    codes = [_recovery_code() for _number in range(RECOVERY_CODES)]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        StaticDevice.objects.filter(user_id=user.pk).delete()
        paper = StaticDevice.objects.create(user_id=user.pk, name="paper")
        kept = [keyed_hashes(_plain(code))[0][:_STORED] for code in codes]
        StaticToken.objects.bulk_create(StaticToken(device=paper, token=token) for token in kept)
    return codes


def recovery_codes_left(user: User) -> int:
    """How many have not been used."""
    return sum(paper.token_set.count() for paper in StaticDevice.objects.filter(user_id=user.pk))


def reset(user: User) -> bool:
    """Forget phone and recovery codes. Returns whether there was anything."""
    with transaction.atomic():
        phones, _rows = TOTPDevice.objects.filter(user_id=user.pk).delete()
        papers, _rows = StaticDevice.objects.filter(user_id=user.pk).delete()
    return bool(phones or papers)


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
