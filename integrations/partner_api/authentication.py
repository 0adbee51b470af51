"""Who calls: the app whose key stands in `Authorization: Api-Key …`, and whether it has the scope of the call."""

from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from integrations.models import ApiKey, PartnerApp
from merchants.secrets import keyed_hashes

SCHEME = "Api-Key"
_LONGEST_KEY = 500


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its keyed hash: how long that takes tells nothing of any key that exists."""

    def authenticate(self, request: Request) -> tuple[PartnerApp, ApiKey] | None:
        """The app and the key; None where nothing of the kind was sent.

        Raises:
            AuthenticationFailed: the key is not known.
        """
        scheme, _blank, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        key = key.strip()
        if scheme.lower() != SCHEME.lower() or not key:
            return None
        found = None
        if len(key) <= _LONGEST_KEY:
            found = ApiKey.objects.select_related("app").filter(key_hash__in=keyed_hashes(key)).first()
        if found is None:
            raise AuthenticationFailed(_("This key is not known."))
        bind_contextvars(app=found.app.name)
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
