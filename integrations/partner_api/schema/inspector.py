"""Puts one call together for drf-spectacular: words and own refusals from `calls`, all else from what runs it."""

from typing import Any

from django.urls.converters import SlugConverter
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse

from integrations.partner_api.fields import LONGEST_ID
from integrations.partner_api.idempotency import KEY
from integrations.partner_api.schema import examples, kinds, refusals
from integrations.partner_api.schema.answers import CODE
from integrations.partner_api.schema.calls import CALLS, Call
from integrations.partner_api.schema.words import meaning

JsonSchema = dict[str, Any]
_EXAMPLES = {
    "merchant_id": examples.MERCHANT_ID,
    "coupon_id": examples.COUPON_ID,
    "code": examples.CODE,
    "identifier": examples.IDENTIFIER,
}
_IN_ADDRESSES: dict[str, JsonSchema] = {
    "code": {"type": "string", "pattern": CODE},
    "coupon_id": {"type": "string", "pattern": f"^{SlugConverter.regex}$", "minLength": 1, "maxLength": LONGEST_ID},
}
_KEY_WORDS = (
    "A name for this very call, of your own. For 24 hours the same key, address and body get the first answer again, "
    "refusals too, and nothing is done twice; another body is 422."
)


class PartnerSchema(AutoSchema):
    """Describes the calls of the partner API."""

    view: Any
    method: str

    @property
    def call(self) -> Call:
        """The call that is being described."""
        return CALLS[type(self.view), self.method]

    def get_operation_id(self) -> str:
        """The name under which clients have it."""
        return self.call.name

    def get_summary(self) -> str:
        """A few words."""
        return self.call.summary

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        """What it is for, and the scope."""
        scope = self.view.scopes[self.method]
        return f"{self.call.description}\n\nScope: `{scope.value}`."

    def get_tags(self) -> list[str]:
        """The group in which it is shown."""
        return [self.call.tag]

    def get_override_parameters(self) -> list[Any]:
        """Address, filters, and the key of a POST."""
        found = [self._in_address(name) for name in self._names_in_address()]
        if self.call.query is not None:
            found += self._filters(self.call.query)
        if self.method == "POST":
            schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{KEY}$"}
            found.append(
                OpenApiParameter(
                    "Idempotency-Key", schema, OpenApiParameter.HEADER, description=_KEY_WORDS,
                    examples=[OpenApiExample("Order", value=examples.KEY)],
                )
            )  # fmt: skip
        return found

    def get_request_serializer(self) -> Any:
        """The body with its examples."""
        if self.call.body is None:
            return None
        sent = [OpenApiExample(name.capitalize(), value=value) for name, value in self.call.sent.items()]
        return {"application/json": OpenApiRequest(self.call.body, examples=sent)}

    def get_response_serializers(self) -> Any:
        """The successes; refusals are put beside them."""
        call = self.call
        successes = [(call.status, call.said, call.example), *([call.or_else] if call.or_else else [])]
        return {
            status: OpenApiResponse(call.answer, description=said, examples=[OpenApiExample("Success", value=example)])
            for status, said, example in successes
        }

    def _get_request_body(self, direction: Any = "request") -> JsonSchema | None:
        body: JsonSchema | None = super()._get_request_body(direction)
        if body is not None and self.call.body is not None and self.call.body.one_of:
            body["required"] = True
        return body

    def _get_response_bodies(self, direction: Any = "response") -> JsonSchema:
        found: JsonSchema = super()._get_response_bodies(direction)
        self.resolve_serializer(refusals.RefusalSerializer, "response")
        call = self.call
        for success in found.values():
            success["headers"] = refusals.described(refusals.RATE)
        for status, codes in refusals.by_status(self.method, call.body, call.query, call.address, call.refuses).items():
            found[str(status)] = refusals.answer(status, codes)
        return found

    def _names_in_address(self) -> list[str]:
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    def _in_address(self, name: str) -> OpenApiParameter:
        if self.call.address is None:
            schema = _IN_ADDRESSES[name]
        else:
            schema = self._properties(self.call.address)[name]
            schema["pattern"] = schema["pattern"].replace("^", r"^(?!.*\/)", 1)  # an address is cut at slashes
        return OpenApiParameter(
            name, schema, OpenApiParameter.PATH, required=True, description=meaning("", name), examples=_example(name)
        )

    def _filters(self, query: Any) -> list[OpenApiParameter]:
        return [
            OpenApiParameter(
                name, schema, OpenApiParameter.QUERY, description=meaning(query.__name__, name), examples=_example(name)
            )
            for name, schema in self._properties(query).items()
        ]

    def _properties(self, fields: Any) -> dict[str, JsonSchema]:
        return dict(self._map_serializer(fields, "request")["properties"])


def _example(name: str) -> list[OpenApiExample]:
    return [OpenApiExample("Example", value=_EXAMPLES[name])] if name in _EXAMPLES else []


__all__ = ["PartnerSchema", "kinds"]  # importing `kinds` makes its ways of reading known
