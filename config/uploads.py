"""Refuses bodies that are too large before anything reads them: Django writes uploaded files to disk without a bound.

The check against forged requests reads the form of everybody, signed in or not, so this one is made before it. A body
without a length is an empty one for Django. Hooks and the API bound theirs themselves, in their own form
(`integrations.hooks.bodies`).
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.hooks.database import BOUNDED
from merchants.tables import MOST_BYTES

MOST_BODY_BYTES = MOST_BYTES + 4 * 1024 * 1024  # the largest file, and the other fields of its form
MOST_OF_STRANGERS_BYTES = 1024 * 1024


def bounded_uploads(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware after that which knows the user; the check against forged requests looks at the form only later."""

    def answer(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length[:18]) if length.isascii() and length.isdigit() else 0  # no number = an empty body
        if request.path_info.startswith(BOUNDED) or size <= MOST_OF_STRANGERS_BYTES:
            return get_response(request)
        if size <= MOST_BODY_BYTES and request.user.is_authenticated:
            return get_response(request)
        return render(request, "413.html", {"most": MOST_BYTES >> 20}, status=413)

    return answer
