"""The whole description, always in English: what drf-spectacular leaves open is filled in here."""

import threading
from functools import cache
from typing import Any

from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from rest_framework.schemas.generators import BaseSchemaGenerator

from integrations.partner_api.schema import refusals
from integrations.partner_api.schema.words import meaning

JsonSchema = dict[str, Any]
PREFIX = "/api/v1/"
FILE = "docs/openapi.yaml"
_one_at_a_time = threading.Lock()


def only_ours(endpoints: list[Any]) -> list[Any]:
    """drf-spectacular's hook: hooks of other systems are no part of the API."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]


def finish(result: JsonSchema, **_generator: Any) -> JsonSchema:
    """drf-spectacular's hook: say what fields mean, and add the answers and examples that calls share."""
    components = result["components"]
    for component, schema in components["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if words := meaning(component, field):
                described["description"] = words
    components["schemas"]["Refusal"]["properties"]["errors"]["minItems"] = 1
    components["responses"] = refusals.shared_answers()
    components["examples"] = refusals.examples()
    result["components"] = dict(sorted(components.items()))
    return result


class Generator(SchemaGenerator):
    """drf-spectacular's, for views whose methods are `read`, `do` and `put`; in English whoever asks."""

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        """The view, without looking for decorators on its methods: there are none."""
        view: Any = BaseSchemaGenerator.create_view(self, callback, method, None)
        view.swagger_fake_view = True
        return view

    def get_schema(self, request: Any = None, public: bool = False) -> JsonSchema:
        """The description as data."""
        with override("en"):
            made: JsonSchema = super().get_schema(request=request, public=public)
            return made


def document() -> JsonSchema:
    """The description as data, made once a process: what puts it together is not for two threads at a time."""
    with _one_at_a_time:
        return _document()


@cache
def _document() -> JsonSchema:
    return Generator().get_schema(public=True)


def text() -> str:
    """The description as docs/openapi.yaml has it."""
    return bytes(OpenApiYamlRenderer().render(document(), renderer_context={})).decode()
