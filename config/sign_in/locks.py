"""The lock after failed sign-ins: when it ends, and the page that says so."""

import math
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.hooks.callers import household
from merchants.models import SignInLock
from merchants.sign_ins import lock_ends


def locked_page(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """What is said instead of the sign-in form while a name is locked (429): why, until when, and who can help."""
    name = str((credentials or {}).get("username") or "")
    rows = SignInLock.objects.filter(username=name, ip_address=household(request))
    ends = lock_ends(rows) or timezone.now() + settings.AXES_COOLOFF_TIME
    context = {**admin.site.each_context(request), "title": _("Sign-in is locked"), **_words(ends)}
    answer = render(request, "admin/sign_in/locked.html", context, status=429)
    answer["Retry-After"] = str(_seconds(ends))
    return answer


def _words(ends: datetime) -> dict[str, Any]:
    return {"ends": timezone.localtime(ends), "minutes": math.ceil(_seconds(ends) / 60)}


def _seconds(ends: datetime) -> int:
    return max(1, math.ceil((ends - timezone.now()).total_seconds()))
