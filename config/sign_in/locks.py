"""The lock after failed sign-ins: from which address they count, when it ends, and the page that says so."""

import ipaddress
import math
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.hooks.callers import client_address
from merchants.models import SignInLock
from merchants.sign_ins import lock_ends

_SAME_HOUSE = 64  # bits: whoever has one IPv6 address has all that begin like it


def address_of(request: HttpRequest) -> str | None:
    """The address that failures are counted under: the client's, of IPv6 its network; None where there is none.

    `client_address` is the one place that tells it: X-Forwarded-For counts as far as TRUSTED_PROXIES wrote it.
    """
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return None
    if not isinstance(address, ipaddress.IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _SAME_HOUSE), strict=False).network_address)


def locked_page(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """What is said instead of the sign-in form while a name is locked (429): why, until when, and who can help."""
    name = str((credentials or {}).get("username") or "")
    rows = SignInLock.objects.filter(username=name, ip_address=address_of(request))
    ends = lock_ends(rows) or timezone.now() + settings.AXES_COOLOFF_TIME
    context = {**admin.site.each_context(request), "title": _("Sign-in is locked"), **_words(ends)}
    answer = render(request, "admin/sign_in/locked.html", context, status=429)
    answer["Retry-After"] = str(_seconds(ends))
    return answer


def _words(ends: datetime) -> dict[str, Any]:
    return {"ends": timezone.localtime(ends), "minutes": math.ceil(_seconds(ends) / 60)}


def _seconds(ends: datetime) -> int:
    return max(1, math.ceil((ends - timezone.now()).total_seconds()))
