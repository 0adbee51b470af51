"""The staff's desk: a process of its own that calls the services which the admin calls, and can be killed like the web.

`python -m tests.chaos.desk PORT` takes JSON by POST on 127.0.0.1: `/issue`, `/revoke`, `/bind`, `/transfer`. It answers
409 with the reason of a refusal, and 503 when the database is away; who gets no answer does not know what happened.
"""

import json
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import django
from django.db import InterfaceError, OperationalError, close_old_connections, transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from psycopg.errors import DeadlockDetected  # noqa: E402

from coupons import issuing, lifecycle  # noqa: E402
from coupons.choices import Source  # noqa: E402
from coupons.errors import Refused  # noqa: E402
from coupons.issuing import Through  # noqa: E402
from coupons.models import CouponTemplate, IssuedCoupon  # noqa: E402
from merchants import customers  # noqa: E402
from merchants.models import Merchant  # noqa: E402

ACTOR = "staff:chaos"


def issue(coupon_id: str, identifier: str) -> dict[str, Any]:
    """Give a coupon to a customer, who is made if need be, as the admin's dialog does."""
    template = CouponTemplate.objects.select_related("merchant").get(coupon_id=coupon_id)
    with transaction.atomic():
        coupon = issuing.issue(
            template=template,
            customer=customers.find_or_create(template.merchant, identifier),
            through=Through(source=Source.STAFF, actor=ACTOR),
        )
    return {"code": coupon.code}


def revoke(code: str) -> dict[str, Any]:
    """Take a coupon back."""
    with transaction.atomic():
        lifecycle.revoke(_locked(code), reason="chaos", actor=ACTOR)
    return {}


def bind(identifier: str, **bound: str) -> dict[str, Any]:
    """Give a customer an openid, a mobile number or both."""
    return {"changed": customers.bind(customers.find_or_create(_merchant(), identifier), **bound)}


def transfer(code: str, to: str) -> dict[str, Any]:
    """Give a coupon on to another customer."""
    with transaction.atomic():
        receiver = customers.find_or_create(_merchant(), to)
        lifecycle.transfer(_locked(code), receiver, actor=ACTOR)
    return {}


SERVICES: dict[str, Callable[..., dict[str, Any]]] = {
    "/issue": issue,
    "/revoke": revoke,
    "/bind": bind,
    "/transfer": transfer,
}


def _merchant() -> Merchant:
    return Merchant.objects.get(merchant_id="88")


def _locked(code: str) -> IssuedCoupon:
    return lifecycle.lock([IssuedCoupon.objects.only("pk").get(code=code).pk])[0]


class Window(BaseHTTPRequestHandler):
    """One caller's connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Serve one request."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        close_old_connections()
        status, answer = _serve(SERVICES[self.path], asked)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def _serve(service: Callable[..., dict[str, Any]], asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
    try:
        return 200, service(**asked)
    except Refused as refused:
        return 409, {"reason": refused.reason.value}
    except (OperationalError, InterfaceError) as error:
        if isinstance(error.__cause__, DeadlockDetected):  # not the database's fault: ours
            return 500, {"error": str(error)}
        return 503, {"error": str(error)}
    except Exception as error:
        return 500, {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Window).serve_forever()
