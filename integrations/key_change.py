"""What an older encryption key is still needed for although nothing is sealed with it any more: hashes of what is not
kept. They are few and pass by themselves, or with the next use; `manage.py reencrypt` names them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Max, Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import ApiAnswer, ApiKey, PushAnswer, SignatureSeen
from integrations.partner_api.idempotency import KEPT
from merchants.models import Erasure
from merchants.secrets import newest_key


@dataclass(frozen=True, slots=True)
class Passing:
    """Rows that count for a while and were hashed under an older key: how many, and until when (aware) they count."""

    what: str
    rows: int
    until: datetime


def passing() -> Iterator[Passing]:
    """Those that count now. Without the key a repeat would not be known for one and be done a second time."""
    ends: Any = F("answered_at") + F("account__repeat_window_seconds") * Value(timedelta(seconds=1))
    pushes = PushAnswer.objects.annotate(until=ExpressionWrapper(ends, DateTimeField())).filter(until__gt=Now())
    yield from _counted("answers to pushes, for their repeats", pushes, F("until"))
    calls = ApiAnswer.objects.filter(answered_at__gt=timezone.now() - KEPT)
    yield from _counted("answers of the partner API, for their repeats", calls, F("answered_at") + KEPT)
    good = timedelta(seconds=settings.PUSH_SIGNATURE_SECONDS)
    seen = SignatureSeen.objects.filter(signed_at__gt=(timezone.now() - good).timestamp() * 1000)
    found = _older(seen).aggregate(rows=Count("pk"), last=Max("signed_at"))
    if found["rows"]:
        moment = datetime.fromtimestamp(found["last"] / 1000, UTC)
        yield Passing("moments of signatures that are used up", found["rows"], moment + good)


def keys_not_seen() -> QuerySet[ApiKey]:
    """Live API keys that were made before digests were kept and have not called since: they are known by a hash alone,
    and nobody can tell under which key it was made."""
    live = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(live, digest="").select_related("app").order_by("app__name", "pk")


def erasures_not_known() -> int:
    """Erasures from before digests were kept: without the key, who comes back is not recognised as erased."""
    return Erasure.objects.filter(name_digests="").count()


def _older(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.exclude(under=newest_key())


def _counted(what: str, rows: QuerySet[Any], until: Any) -> Iterator[Passing]:
    found = _older(rows).aggregate(rows=Count("pk"), last=Max(until, output_field=DateTimeField()))
    if found["rows"]:
        yield Passing(what, found["rows"], found["last"])
