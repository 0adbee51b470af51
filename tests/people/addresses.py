"""Every address of the admin, read from Django's own resolver, so that a new page is walked without being named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

_NAMED = re.compile(r"<(?:\w+:)?(?P<name>\w+)>")


@dataclass(frozen=True, slots=True)
class Address:
    """A route such as `/admin/coupons/batch/<path:object_id>/start/`, and the model whose pages it belongs to."""

    route: str
    name: str
    model: Any = None

    @property
    def of_a_row(self) -> bool:
        """Whether it names a row."""
        return bool(_NAMED.search(self.route))

    def at(self, value: Any) -> str:
        """With every named part filled by this value."""
        return _NAMED.sub(str(value), self.route)


def addresses() -> list[Address]:
    """Those below /admin/."""
    return [found for found in _walk(get_resolver().url_patterns, "/") if found.route.startswith("/admin/")]


def _walk(patterns: Any, before: str) -> Iterator[Address]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and isinstance(pattern.pattern, RoutePattern):
            route = before + str(pattern.pattern)
            yield Address(route, pattern.name or "", _model_of(route))


def _model_of(route: str) -> Any:
    parts = route.split("/")
    try:
        model = apps.get_model(parts[2], parts[3])
    except (LookupError, IndexError, ValueError):
        return None
    return model if model in admin.site._registry else None
