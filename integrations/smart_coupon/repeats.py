"""Equal pushes: platforms repeat what timed out, and have no idempotency key (PROTOCOLS §2).

The unique key of `PushAnswer` decides: whoever inserts it acts, an equal push at the same moment waits for that
transaction and then finds the answer. A refusal rolls the key back, so it is not remembered.

What makes pushes equal includes the customer's identifier, so it is kept as a keyed hash: nobody can try out mobile
numbers on a copy of the table.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from integrations.models import PushAnswer
from merchants.models import SmartCouponAccount
from merchants.secrets import keyed_hashes, newest_key

_CLAIM = """
INSERT INTO integrations_pushanswer (account_id, address, digest, under, answered_at)
VALUES (%(account)s, %(address)s, %(digest)s, %(under)s, %(now)s)
ON CONFLICT (account_id, address, digest) DO UPDATE SET answered_at = excluded.answered_at, answer = NULL
WHERE integrations_pushanswer.confirming_id IS NULL
  AND (integrations_pushanswer.answered_at <= %(oldest)s OR %(always)s)
RETURNING id
"""
_REMEMBER = "UPDATE integrations_pushanswer SET answer = %s::jsonb WHERE id = %s"


def claim(account: SmartCouponAccount, address: str, digest: str, *, since: datetime | None = None) -> int | None:
    """Become the one who answers this push. Call it inside the transaction that acts.

    Args:
        since: an answer from after this moment stands though the window is over (`integrations.smart_coupon.replays`).

    Returns:
        The key to `remember` the answer under, or None if an answer stands (`remembered`).
    """
    now, window = timezone.now(), account.repeat_window_seconds
    newest, *older = keyed_hashes(digest)
    oldest = now - timedelta(seconds=window)
    if since is not None:
        oldest = min(oldest, since)
    if older and _answers(account, address, older).filter(answered_at__gt=oldest).exists():
        return None  # answered under a key that is not the newest any more
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "account": account.pk,
                "address": address,
                "digest": newest,
                "under": newest_key(),
                "now": now,
                "oldest": oldest,
                "always": window == 0 and since is None,
            },
        )
        row = cursor.fetchone()
    return row[0] if row else None


def remember(key: int, answer: dict[str, Any]) -> None:
    """Keep the first answer."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [json.dumps(answer, ensure_ascii=False), key])


def remembered(account: SmartCouponAccount, address: str, digest: str) -> PushAnswer:
    """The first answer to an equal push; while it is `confirming` it does not count yet."""
    return _answers(account, address, keyed_hashes(digest)).latest("answered_at")


def _answers(account: SmartCouponAccount, address: str, digests: list[str]) -> QuerySet[PushAnswer]:
    return PushAnswer.objects.filter(account=account, address=address, digest__in=digests)
