"""The whole description, always in English: what drf-spectacular leaves open is filled in here."""

import threading
from functools import cache
from typing import Any

from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from rest_framework.renderers import BaseRenderer
from rest_framework.schemas.generators import BaseSchemaGenerator

from integrations.partner_api.schema import refusals
from integrations.partner_api.schema.webhooks import webhooks
from integrations.partner_api.schema.words import meaning

JsonSchema = dict[str, Any]
ABOUT = """For applications of partners, such as a merchant's mini-program. JSON in and out; times are ISO 8601 with
their offset, money is integer fen (1 yuan = 100), days are Shanghai's.

- **Key and scopes.** `Authorization: Api-Key …` with every call. Each call names the scope that the app needs; an app
  sees its own merchants alone, and what is others' is 404.
- **Refusals** have one form (`Refusal`) with stable codes (`ErrorCode`), and have changed nothing. Fields and filters
  that a call does not know are refused. Another method than those here is 405 with `Allow`.
- **Repeating.** With an `Idempotency-Key`, a POST is done once and answered alike for 24 hours.
- **Limits.** Answers say by `X-RateLimit-…` how many calls the key has left in this second; 429 says by `Retry-After`
  how long to wait.
- **Pages.** Follow `next` until it is null. What is issued meanwhile neither repeats nor hides a row.
- **Languages.** `Accept-Language: en` or `zh-hans` chooses the words of `detail` and `message`; codes never change.
- **Changes.** Further fields may be added to answers, and further words to lists; what is there stays.
"""
TAGS = {
    "templates": "What can be issued.",
    "coupons": "Issued, read, checked, redeemed, passed on, taken back.",
    "customers": "The merchant's members, and what dfire must know of them.",
    "webhooks": "What the app's own addresses are sent.",
}
PREFIX = "/api/v1/"
FILE = "docs/openapi.yaml"
_one_at_a_time = threading.Lock()
_written: dict[str, bytes] = {}


def only_ours(endpoints: list[Any]) -> list[Any]:
    """drf-spectacular's hook: hooks of other systems are no part of the API."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]


def finish(result: JsonSchema, **_generator: Any) -> JsonSchema:
    """drf-spectacular's hook: say what fields mean, and add the answers and examples that calls share."""
    result["info"]["description"] = ABOUT
    result["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    components = result["components"]
    for component, schema in components["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if words := meaning(component, field):
                described["description"] = words
    components["schemas"]["Refusal"]["properties"]["errors"]["minItems"] = 1
    components["responses"] = refusals.shared_answers()
    components["examples"] = refusals.examples()
    result["webhooks"] = webhooks()
    result["components"] = dict(sorted(components.items()))
    return result


class Generator(SchemaGenerator):
    """drf-spectacular's, for views whose methods are `read`, `do` and `put`; in English whoever asks."""

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        """The view, without looking for decorators on its methods: there are none."""
        view: Any = BaseSchemaGenerator.create_view(self, callback, method, None)
        view.swagger_fake_view = True
        return view

    def get_schema(self, request: Any = None, public: bool = True) -> JsonSchema:
        """The description as data: all of it, whoever asks."""
        with override("en"):
            made: JsonSchema = super().get_schema(request=None, public=True)
            return made


def document() -> JsonSchema:
    """The description as data, made once a process: what puts it together is not for two threads at a time."""
    with _one_at_a_time:
        return _document()


@cache
def _document() -> JsonSchema:
    return Generator().get_schema()


def rendered(renderer: type[BaseRenderer]) -> bytes:
    """The description as one of drf-spectacular's renderers writes it, which takes long: once a process."""
    if (name := renderer.__qualname__) not in _written:
        written: Any = renderer().render(document(), renderer_context={})
        _written[name] = written
    return _written[name]


def text() -> str:
    """The description as docs/openapi.yaml has it."""
    return rendered(OpenApiYamlRenderer).decode()
