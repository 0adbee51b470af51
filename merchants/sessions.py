"""How long a sign-in lasts: it ends when nobody was there for a while, and after some hours however busy they were.

The session notes when it began and when its user was last there, at most once a minute, so that reading costs no write.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

BEGAN, SEEN = "signed_in_at", "seen_at"
_NOTED_EVERY_SECONDS = 60


def note_sign_in(request: Any, **kwargs: Any) -> None:
    """A new sign-in counts from now."""
    if hasattr(request, "session"):
        request.session[BEGAN] = request.session[SEEN] = int(time.time())


user_logged_in.connect(note_sign_in, dispatch_uid="merchants.sessions")


def is_over(request: HttpRequest) -> bool:
    """Whether the session has lasted long enough, by one limit or the other. One without a beginning begins now."""
    now = int(time.time())
    began, seen = request.session.setdefault(BEGAN, now), request.session.setdefault(SEEN, now)
    return now - began >= settings.SESSION_HOURS * 3600 or now - seen >= settings.SESSION_IDLE_MINUTES * 60


def note_presence(request: HttpRequest) -> None:
    """Somebody is there. Pages that ask again by themselves are nobody."""
    if request.method == "GET" and request.headers.get("HX-Request"):
        return
    now = int(time.time())
    if now - request.session.get(SEEN, 0) >= _NOTED_EVERY_SECONDS:
        request.session[SEEN] = now


def end_all(user: User) -> int:
    """Sign the user out everywhere. Sessions name their user inside alone, so all running ones are looked through.

    Returns:
        How many sessions ended.
    """
    running = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [row.pk for row in running.iterator() if row.get_decoded().get(SESSION_KEY) == str(user.pk)]
    return Session.objects.filter(pk__in=theirs).delete()[0]
