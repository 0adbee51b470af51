"""How our fields and calls read in the schema: every bound and pattern is taken from what validates."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema

from coupons.choices import Channel, CouponStatus, Delivery, Kind, TemplateStatus
from coupons.rules.verdicts import RuleName, Verdict
from integrations.partner_api.authentication import SCHEME
from integrations.partner_api.schema.answers import WHY_NOT
from integrations.partner_api.schema.refusals import CODES, TYPES

JsonSchema = dict[str, Any]
SECURITY = "ApiKey"
_CHOICES = {
    "Channel": Channel.choices,
    "CouponStatus": CouponStatus.choices,
    "Delivery": Delivery.choices,
    "Kind": Kind.choices,
    "TemplateStatus": TemplateStatus.choices,
    "RuleName": RuleName.choices,
    "Verdict": Verdict.choices,
    "WhyNot": WHY_NOT,
    "ErrorCode": CODES,
    "ErrorType": TYPES,
}


class TextKind(OpenApiSerializerFieldExtension):
    """A text with its pattern; it is never blank."""

    target_class = "integrations.partner_api.values.Text"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> JsonSchema:
        """A string with its bounds."""
        schema: JsonSchema = {"type": "string", "pattern": f"^{self.target.pattern}$"}
        if self.target.max_length is not None:
            schema |= {"minLength": 1, "maxLength": self.target.max_length}
        return schema


class ChoiceKind(OpenApiSerializerFieldExtension):
    """One of several words: a component of its own, so that clients have one type for each list."""

    target_class = "rest_framework.fields.ChoiceField"

    def get_name(self) -> str:
        """The name of the list."""
        words = list(self.target.choices)
        return next(name for name, choices in _CHOICES.items() if [value for value, _label in choices] == words)

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> JsonSchema:
        """The words, each with what it means."""
        meanings = "\n".join(f"- `{word}`: {label}" for word, label in self.target.choices.items())
        return {"type": "string", "enum": list(self.target.choices), "description": meanings}


class MomentKind(OpenApiSerializerFieldExtension):
    """A time with its offset."""

    target_class = "integrations.partner_api.values.Moment"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> JsonSchema:
        """A string, of years that make sense."""
        return {"type": "string", "format": "date-time", "pattern": f"^{self.target.pattern}"}


class DayKind(OpenApiSerializerFieldExtension):
    """A day."""

    target_class = "integrations.partner_api.values.Day"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> JsonSchema:
        """A string, of years that make sense."""
        return {"type": "string", "format": "date", "pattern": f"^{self.target.pattern}"}


class CallKind(OpenApiSerializerExtension):
    """What a call says: no other fields, and of some exactly one."""

    target_class = "integrations.partner_api.fields.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> JsonSchema:
        """An object; the choice stands in `allOf`, where generators of clients do not trip over it."""
        schema: JsonSchema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        schema["additionalProperties"] = False
        if self.target.one_of:
            schema["allOf"] = [{"oneOf": [{"required": [name]} for name in self.target.one_of]}]
        return schema


class KeyKind(OpenApiAuthenticationExtension):
    """The key of an app, and the scope of the call."""

    target_class = "integrations.partner_api.authentication.ApiKeyAuthentication"
    name = SECURITY

    def get_security_definition(self, auto_schema: AutoSchema) -> JsonSchema:
        """A header with a word before the key, which OpenAPI has no scheme for."""
        words = f"`{SCHEME} ` and the key: `Authorization: {SCHEME} …`. Each call names the scope that the app needs."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}

    def get_security_requirement(self, auto_schema: AutoSchema) -> Any:
        """The scheme with the scope; OpenAPI 3.1 lets schemes other than OAuth name roles there."""
        view: Any = auto_schema.view
        return {self.name: [view.scopes[auto_schema.method].value]}
