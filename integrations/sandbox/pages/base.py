"""What all pages share: the language, the safe headers, rendering, and how times and names are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.utils.translation import gettext

from integrations.sandbox.clock import local
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.wire import HTML, Request, Response

CHINESE, ENGLISH = "zh-hans", "en"
LANGUAGES = (CHINESE, ENGLISH)
LANGUAGE_COOKIE = "sandbox_language"
COOKIE_TERMS = "Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"
# The camera is for scanning a code at the till; everything else that a page could do is switched off.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
        " media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_MOBILE = re.compile(r"1\d{10}", re.ASCII)


def language_of(request: Request) -> str:
    """The language asked for by `?lang=`, else the cookie's, else Chinese."""
    for wanted in (request.query.get("lang"), request.cookie(LANGUAGE_COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return CHINESE


def render(config: ConfigFile, request: Request, name: str, context: Mapping[str, Any]) -> Response:
    """A page. The language that the address asks for is kept in a cookie."""
    language = language_of(request)
    other = ENGLISH if language == CHINESE else CHINESE
    body = render_to_string(
        f"sandbox/{name}.html",
        {
            "nav": _navigation(request.path),
            "language": language,
            "switch_url": "?" + urlencode({**request.query, "lang": other}),
            "config_error": config.error,
            "portal_url": config.current().portal_url,
            **context,
        },
    )
    headers = dict(HEADERS)
    if "lang" in request.query:
        headers["Set-Cookie"] = f"{LANGUAGE_COOKIE}={language}; {COOKIE_TERMS}"
    return Response(body.encode(), content_type=HTML, headers=headers)


def redirect(path: str, query: Mapping[str, object] | None = None, anchor: str = "") -> Response:
    """Send the browser to a page after a form, so that reloading does not act again."""
    location = path + (f"?{urlencode(query)}" if query else "") + (f"#{anchor}" if anchor else "")
    return Response(status=303, headers={**HEADERS, "Location": location})


def moment(ms: int | None) -> str:
    """A time on the clock of Shanghai, to the second."""
    return local(ms).strftime("%Y-%m-%d %H:%M:%S") if ms else ""


def day(ms: int) -> str:
    """A date in Shanghai."""
    return local(ms).strftime("%Y-%m-%d")


def masked(text: str) -> str:
    """Enough of a mobile number or openid to recognise it."""
    if _MOBILE.fullmatch(text):
        return f"{text[:3]}****{text[-4:]}"
    return f"{text[:4]}***{text[-3:]}" if len(text) > 8 else f"{text[:2]}***"


def _navigation(path: str) -> list[dict[str, Any]]:
    entries = (
        ("/", gettext("Overview")),
        ("/till", gettext("Till")),
        ("/platform", gettext("Smart-coupon platform")),
        ("/promotions", gettext("Promotions")),
        ("/faults", gettext("Faults")),
    )
    return [{"url": url, "label": label, "here": url == path} for url, label in entries]
