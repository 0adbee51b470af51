"""Stands before every page that knows who is asking: sessions that are over end, and a second factor is asked for.

Everything is closed but what is named here. Machines' addresses are let through, which know nobody by a session.
"""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from merchants import sessions, two_factor
from merchants.admin.dialogs import go

NEXT = "next"
CODE, SET_UP = "two_factor_code", "two_factor_set_up"
_MACHINES = ("/hooks/", "/api/")
_PROBES = frozenset(("healthz", "readyz", "metrics"))
_OPEN_TO_HALF = frozenset(("admin:logout", "admin:jsi18n", "set_language"))  # to who gave the password alone


class Gate:
    """The middleware; it looks once the view is known, so that what does not exist stays a plain 404."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass it on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets the request through; else where it is led to."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        machine = name in _PROBES or request.path.startswith(_MACHINES)
        if machine or settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return None
        if sessions.is_over(request):
            logout(request)
            messages.info(request, _("You were signed out, because the time of your session was over."))
            return _lead(request, "admin:login")
        sessions.note_presence(request)
        wanted = missing_step(request)
        if wanted is None or name == wanted or name in _OPEN_TO_HALF:
            return None
        return _lead(request, wanted)


def missing_step(request: HttpRequest) -> str | None:
    """The page that the signed-in user has to pass first: None where they are all in."""
    user: Any = request.user
    if user.is_verified():
        return None
    if two_factor.device_of(cast(User, user)) is not None:
        return CODE
    return SET_UP if two_factor.is_required(user) else None


def _lead(request: HttpRequest, name: str) -> HttpResponse:
    """To a page, and back again afterwards, if it was only to be looked at."""
    back = {NEXT: request.get_full_path()} if request.method == "GET" and not request.headers.get("HX-Request") else {}
    return go(request, f"{reverse(name)}?{urlencode(back)}" if back else reverse(name))
