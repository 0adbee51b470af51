"""Keys of partner apps: made, ended, exchanged. The only place that makes one.

At most two keys of an app are live at once: the present one, and the one that takes its place. Whoever makes a key
holds the app's row, so that two at the same moment count each other's.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.models import ApiKey, PartnerApp
from merchants.secrets import digest, keyed_hashes

KEY_BEGINS_WITH = "cp_"
PREFIX_LENGTH = 8
MOST_LIVE = 2
USED_EVERY = timedelta(minutes=1)


class TooManyKeys(Exception):
    """Two keys are live already; `live` are they, the one to end first in front."""

    def __init__(self, live: Sequence[ApiKey]) -> None:
        super().__init__("Two keys of this app are live: end one first.")
        self.live = list(live)


def live_keys(app: PartnerApp) -> QuerySet[ApiKey]:
    """The keys that open something at this moment."""
    return ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), app=app)


def check_room(app: PartnerApp) -> None:
    """See whether the app may have another key.

    Raises:
        TooManyKeys: two are live.
    """
    live = list(live_keys(app).order_by("pk"))
    if len(live) >= MOST_LIVE:
        raise TooManyKeys(sorted(live, key=_to_be_ended))


@transaction.atomic
def make(
    app: PartnerApp,
    *,
    label: str = "",
    expires_at: datetime | None = None,
    allowed_addresses: Sequence[str] = (),
    given: str = "",
) -> tuple[ApiKey, str]:
    """Store a new key of the app and return it with its text, which nobody can read any more afterwards.

    Args:
        given: the text, where somebody else has chosen it.

    Raises:
        TooManyKeys: two are live.
    """
    hold(app)
    check_room(app)
    text = given or KEY_BEGINS_WITH + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        app=app,
        prefix=text[: min(PREFIX_LENGTH, len(text) // 3)],  # it must not give away a short one
        **_kept(text),
        label=label,
        expires_at=expires_at,
        allowed_addresses=list(allowed_addresses),
    )
    return key, text


def found_by(text: str) -> list[str]:
    """The hashes under which a key with this text may be stored; those of keys from before digests were kept too."""
    return [*keyed_hashes(digest(text)), *keyed_hashes(text)]


def keep_digest(key: ApiKey, text: str) -> None:
    """A key from before digests were kept has been used: from now on it can go under the next encryption key.

    Its hash stays until `manage.py reencrypt`: processes of the release before look for no other.
    """
    ApiKey.objects.filter(pk=key.pk, digest="").update(digest=digest(text))


def end(key: ApiKey, at: datetime) -> bool:
    """Let the key end at a time (aware), which may be now. One that would end earlier anyway stays as it is.

    Returns:
        Whether its end has changed.
    """
    later = Q(expires_at=None) | Q(expires_at__gt=at)
    changed = ApiKey.objects.filter(later, pk=key.pk).update(expires_at=at)
    key.refresh_from_db(fields=["expires_at"])
    return bool(changed)


def hold(app: PartnerApp) -> None:
    """Hold the app's row until the transaction ends: no key of it is made or revived by anybody else meanwhile."""
    PartnerApp.objects.select_for_update(no_key=True).get(pk=app.pk)


def used(key: ApiKey, now: datetime) -> None:
    """Note that the key was used, once a minute at most. Whoever finds its row held by another call leaves it to that
    one: calls never wait for each other here."""
    if key.last_used_at is not None and key.last_used_at > now - USED_EVERY:
        return
    due = ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY), pk=key.pk)
    free = due.select_for_update(skip_locked=True, no_key=True)
    with transaction.atomic():
        ApiKey.objects.filter(pk__in=free.values("pk")).update(last_used_at=now)


def _kept(text: str) -> dict[str, str]:
    sealed = {"digest": digest(text)}
    return {**sealed, **ApiKey.keyed_columns(sealed)}


def _to_be_ended(key: ApiKey) -> tuple[bool, datetime]:
    """The one whose end is near anyway first, then the one that was used longest ago; a new one has not been yet."""
    return (key.expires_at is None, key.expires_at or key.last_used_at or key.created_at)
