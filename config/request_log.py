"""One line for each request, and its id in every line that is written on the way.

The line names the route, never the path: paths and query strings carry tokens, codes and mobile numbers.
"""

import re
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from integrations.hooks.callers import client_address, is_within

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ASKED_ALL_THE_TIME = ("healthz", "readyz", "metrics")
_LONGEST_SEGMENT = 40


class RequestLog(RequestMiddleware):
    """django-structlog's middleware with our ids, and without the path."""

    def prepare(self, request: HttpRequest) -> None:
        """Give the request its id: a trusted proxy's, if it sends a sane one, else a new one."""
        clear_contextvars()
        request.META["portal.began"] = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        if given and not (_SANE_ID.fullmatch(given) and is_within(_peer(request), settings.TRUSTED_PROXIES)):
            del request.META["HTTP_X_REQUEST_ID"]
        super().prepare(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Write the line and tell the caller the id; probes that find all well leave no line."""
        response["X-Request-ID"] = get_contextvars().get("request_id", "")
        match = request.resolver_match
        if match is not None and match.url_name in _ASKED_ALL_THE_TIME and response.status_code == 200:
            clear_contextvars()
            return
        bind_contextvars(
            duration_ms=round((time.perf_counter() - request.META["portal.began"]) * 1000, 1),
            address=client_address(request),
        )
        if match is not None and "object_id" in match.kwargs:
            bind_contextvars(object_id=match.kwargs["object_id"])
        user = getattr(request, "_cached_user", None)  # looked at only if the request was
        if user is not None and user.pk:
            bind_contextvars(user_id=user.pk)
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """The method and the route; of an address that does not exist its first word."""
        match = request.resolver_match
        if match is not None:
            return f"{request.method} /{match.route}"
        return f"{request.method} /{request.path.split('/')[1][:_LONGEST_SEGMENT]}/…"


def _peer(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
