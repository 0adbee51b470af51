"""`Idempotency-Key`: a POST that is repeated within a day gets the first one's answer, and is done once.

The unique key of `ApiAnswer` decides, in the transaction that acts: an equal call at the same moment waits for that
transaction and then finds the answer. Refusals are remembered too, with whatever they did undone; faults of ours and
calls that were never let in are not. Kept in PostgreSQL, so that it holds when Redis is away.

What is compared and looked up is kept as keyed hashes: nobody can try out mobile numbers on a copy of the table.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_server_error

from coupons.errors import Refused
from integrations.models import ApiAnswer
from integrations.partner_api.errors import ApiCode, ApiRefused
from integrations.strict_json import JsonObject
from merchants.secrets import keyed_hashes, newest_key

if TYPE_CHECKING:
    from integrations.partner_api.view import ApiView

KEPT = timedelta(hours=24)
KEY = "[!-~]([ -~]{0,253}[!-~])?"  # 1 to 255 printable ASCII characters
_CLAIM = """
INSERT INTO integrations_apianswer (app_id, method, path, key_hash, body_hash, under, status, answer, answered_at)
VALUES (%(app)s, %(method)s, %(path)s, %(key)s, %(body)s, %(under)s, 0, '', %(now)s)
ON CONFLICT (app_id, method, path, key_hash)
DO UPDATE SET body_hash = excluded.body_hash, status = 0, answer = '', answered_at = excluded.answered_at
WHERE integrations_apianswer.answered_at <= %(oldest)s
RETURNING id
"""


def key_of(request: Request) -> str | None:
    """The call's `Idempotency-Key`, if it has one.

    Raises:
        ApiRefused: it is empty, too long or not printable ASCII.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if re.fullmatch(KEY, key) is None:
        detail = _("Idempotency-Key must be 1 to 255 printable ASCII characters.")
        raise ApiRefused(ApiCode.INVALID_IDEMPOTENCY_KEY, detail, attr="Idempotency-Key")
    return str(key)


def once(view: "ApiView", key: str, body: JsonObject, act: Callable[[JsonObject], tuple[int, Any]]) -> Response:
    """Act and keep the answer, or give the answer that stands.

    Raises:
        ApiRefused: the key came with another body.
    """
    place, said = _place(view), json.dumps(body, sort_keys=True, default=repr)
    with transaction.atomic():
        answer_id = _claim(place, key, said)
        if answer_id is None:
            standing = _standing(place, key, said)
            if standing.status_code not in view.not_final:
                return standing
        try:
            with transaction.atomic():
                status, data = act(body)
            response = Response(data, status=status)
        except (Refused, APIException) as error:
            if isinstance(error, APIException) and is_server_error(error.status_code):
                raise
            response = view.refusal(error)
        if answer_id is None:
            replace(view, response)
        else:
            text = json.dumps(response.data, ensure_ascii=False)
            ApiAnswer.objects.filter(pk=answer_id).update(status=response.status_code, answer=text)
    return response


def replace(view: "ApiView", response: Response) -> None:
    """Keep another answer than the one that `once` has kept for this call, which was not its last word."""
    key = key_of(view.request)
    if key is None:
        return
    kept = ApiAnswer.objects.filter(**_place(view), key_hash__in=keyed_hashes(f"idempotency:{key}"))
    kept.update(status=response.status_code, answer=json.dumps(response.data, ensure_ascii=False))


def _place(view: "ApiView") -> dict[str, Any]:
    return {"app_id": view.app.pk, "method": str(view.request.method), "path": view.request.path}


def _claim(place: dict[str, Any], key: str, said: str) -> int | None:
    """Become the one who answers; None if an answer stands."""
    now = timezone.now()
    newest, *older = keyed_hashes(f"idempotency:{key}")
    if older and ApiAnswer.objects.filter(**place, key_hash__in=older, answered_at__gt=now - KEPT).exists():
        return None  # answered under an encryption key that is not the newest any more
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "app": place["app_id"],
                "method": place["method"],
                "path": place["path"],
                "key": newest,
                "body": _hashes(said)[0],
                "under": newest_key(),
                "now": now,
                "oldest": now - KEPT,
            },
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _standing(place: dict[str, Any], key: str, said: str) -> Response:
    hashes = keyed_hashes(f"idempotency:{key}")
    answer = ApiAnswer.objects.filter(**place, key_hash__in=hashes).latest("answered_at")
    if answer.body_hash not in _hashes(said):
        detail = _("This Idempotency-Key came with another body before.")
        raise ApiRefused(ApiCode.KEY_REUSED, detail, attr="Idempotency-Key")
    return Response(json.loads(answer.answer), status=answer.status)


def _hashes(said: str) -> list[str]:
    return keyed_hashes(f"body:{said}")
