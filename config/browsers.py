"""What a browser may do with our answers: where scripts come from, who may show them in a frame, what it may keep.

Everything is closed; the admin (settings.py) and the page of the API's description (its view) are opened as far as they
need. Inline scripts and style elements work nowhere: what a library's templates have inline stands in files of ours
(`portal/strict.js`, `portal/colours.css`, `portal/docs.css`).
"""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from integrations.hooks.callers import is_within

ADMIN = "/admin/"
_FORWARDED = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_FORWARDED")
_ALWAYS = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,  # for static files too, which are answered before Django's own adds it
}


class Browsers(CSPMiddleware):
    """The outermost middleware, so that static files and errors go through it as well."""

    def process_request(self, request: HttpRequest) -> None:
        """Strike out what a stranger says about the connection: only a trusted proxy knows it.

        A caller without an address came through a socket file, whose owner says who may.
        """
        peer = str(request.META.get("REMOTE_ADDR", ""))
        if peer and not is_within(peer, settings.TRUSTED_PROXIES):
            for name in _FORWARDED:
                request.META.pop(name, None)
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add what is missing; an answer that says nothing of keeping is not kept.

        Cookies that are given over https come back over https alone, whoever redirects to it.
        """
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        for name, value in {**_ALWAYS, "Cache-Control": "no-store"}.items():
            response.headers.setdefault(name, value)
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The admin's policy under its address; a view's own, else the closed one, everywhere else."""
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and request.path_info.startswith(ADMIN):
            parts.config = admin_policy()
        return parts


def admin_policy() -> dict[str, Any]:
    """What the admin's pages may do."""
    policy: dict[str, Any] = settings.ADMIN_CONTENT_SECURITY_POLICY
    return policy
