"""The description of the API as tests look at it."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from integrations.partner_api.schema.document import PREFIX, document

Schema = dict[str, Any]


def operations() -> Iterator[tuple[str, str, Schema]]:
    """Path without the prefix, method and description of each call."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield path.removeprefix(PREFIX), method.upper(), operation


def resolved(part: Schema) -> Schema:
    """The component that a `$ref` names, or the part itself."""
    if set(part) != {"$ref"}:
        return part
    found: Any = document()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


def schema_of(answer: Schema) -> Schema:
    """The schema of an answer's or a request's body."""
    return dict(answer["content"]["application/json"]["schema"])


def problems(schema: Schema, value: Any) -> list[str]:
    """What is wrong with a value."""
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def operation_of(method: str, path: str) -> Schema:
    """The description of a call to this path (without the prefix, with or without a query)."""
    plain = path.split("?")[0]
    for template, its_method, operation in operations():
        if its_method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), plain):
            return operation
    raise AssertionError(f"{method} {path} is not described")


def undescribed(method: str, path: str, status: int, body: Any) -> list[str]:
    """In what an answer differs from what its call is said to answer."""
    answers = operation_of(method, path)["responses"]
    if str(status) not in answers:
        return [f"{status} is not described for {method} {path}"]
    return problems(schema_of(resolved(answers[str(status)])), body)
