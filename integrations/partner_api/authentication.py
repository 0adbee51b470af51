"""Who calls: the app whose key stands in `Authorization: Api-Key …`, and whether it has the scope of the call."""

from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from integrations.hooks.callers import may_call
from integrations.models import ApiKey, PartnerApp
from integrations.partner_api import keys, throttles
from integrations.partner_api.call_log import KNOWN_KEY
from integrations.partner_api.errors import ApiCode, ApiRefused

SCHEME = "Api-Key"
_LONGEST_KEY = 500


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its keyed hash: how long that takes tells nothing of any key that exists."""

    def authenticate(self, request: Request) -> tuple[PartnerApp, ApiKey] | None:
        """The app and the key; None where nothing of the kind was sent.

        Raises:
            AuthenticationFailed: the key is not known, or it has ended.
            ApiRefused: it may not be used from this address.
            Throttled: too many wrong keys have come from this address, or too many calls with a key that is refused.
        """
        scheme, _blank, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        key = key.strip()
        if scheme.lower() != SCHEME.lower() or not key:
            return None
        throttles.check_guesser(request)
        hashes = keys.found_by(key[:_LONGEST_KEY])  # none that we keep is so long
        found = ApiKey.objects.select_related("app").filter(key_hash__in=hashes).first()
        if found is None or len(key) > _LONGEST_KEY:
            throttles.was_wrong_key(request, hashes[0])
            raise AuthenticationFailed(_("This key is not known."))
        if not found.digest:
            keys.keep_digest(found, key)
        bind_contextvars(app=found.app.name)
        request.META[KNOWN_KEY] = found
        if not found.is_live(timezone.now()):
            throttles.check_refused(request, found)
            raise AuthenticationFailed(_("This key has ended."), ApiCode.KEY_EXPIRED.code)
        if not may_call(request, found.allowed_addresses):
            throttles.check_refused(request, found)
            raise ApiRefused(ApiCode.ADDRESS_NOT_ALLOWED, _("This key may not be used from this address."))
        return found.app, found

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return SCHEME


class HasScope(BasePermission):
    """The app has the scope that the call's view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether it may; an unknown method is refused afterwards, to whoever is known."""
        if not isinstance(request.auth, ApiKey):
            return False
        scope = view.scopes.get(request.method)
        self.message = _("This app lacks the scope %(scope)s.") % {"scope": scope}
        return scope is None or scope in request.auth.app.scopes


def app_of(request: Request) -> PartnerApp:
    """The app that calls."""
    return cast(ApiKey, request.auth).app
