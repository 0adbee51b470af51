"""What every address of a row's action asks first: is this row there for the user?

Unfold shows an action's dialog before the action itself has looked at its row, so it is asked here, once for all.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern

_DJANGOS_OWN = ("_change", "_delete", "_history")  # these look for themselves
_ROW = "object_id"


class WalledActions:
    """Actions of rows that the user does not see are not there (404)."""

    admin_site: Any
    model: Any

    def get_urls(self) -> list[URLPattern]:
        """The addresses, those of actions with the question in front."""
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        for pattern in urls:
            named = str(pattern.name or "")
            if _ROW in pattern.pattern.converters and named and not named.endswith(_DJANGOS_OWN):
                pattern.callback = self._asked_first(pattern.callback)
        return urls

    def _asked_first(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.admin_site.has_permission(request) and not self._is_there(request, str(kwargs[_ROW])):
                raise Http404
            return view(request, *args, **kwargs)

        return asked

    def _is_there(self, request: HttpRequest, object_id: str) -> bool:
        try:
            key = self.model._meta.pk.to_python(unquote(object_id))
        except (ValidationError, ValueError):
            return False
        return bool(self.get_queryset(request).filter(pk=key).exists())  # type: ignore[attr-defined]
