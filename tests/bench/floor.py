"""Bare views, beside which the portal's are measured: no middleware, no authentication, no limits, no history.

Read with `ROOT_URLCONF` and without middleware by `tests.bench.floor_settings`, on the same server and database.
"""

import json
from typing import Any

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

from coupons.models import IssuedCoupon

TABLE = "CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, customer text, coupon text, until text)"
_INSERT = "INSERT INTO bench_floor (customer, coupon, until) VALUES (%s, %s, %s) RETURNING id"


def read_one(request: HttpRequest, pk: int) -> JsonResponse:
    """One row by its primary key."""
    coupon = IssuedCoupon.objects.get(pk=pk)
    return _answer({"code": coupon.code, "status": coupon.status})


def insert_one(request: HttpRequest) -> JsonResponse:
    """One row of what the body says."""
    said = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [said["identifier"], said["coupon_id"], said["expiration_time"]])
        (number,) = cursor.fetchone()
    return _answer({"id": number})


def _answer(said: dict[str, Any]) -> JsonResponse:
    answer = JsonResponse(said)
    answer["Content-Length"] = str(len(answer.content))  # a middleware's work otherwise
    return answer


urlpatterns: list[Any] = [path("read/<int:pk>/", read_one), path("insert/", insert_one)]
