"""JSON as strangers send it: read strictly, so that no two readers can understand it differently."""

import json
from decimal import Decimal
from typing import Any

JsonObject = dict[str, Any]


class NotStrictJson(ValueError):
    """The text is not one JSON object, or not an unambiguous one. `field` names the place where one is to blame."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def loads(body: bytes, *, deepest: int = 8) -> JsonObject:
    """The JSON object in the body; numbers with a fraction come as Decimal.

    Raises:
        NotStrictJson: not UTF-8, not JSON, not an object, a name twice, NaN or infinity, nested more than `deepest`
            levels, or text that no database can store.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_names,
        )
    except NotStrictJson:
        raise
    except UnicodeDecodeError:
        raise NotStrictJson("The text is not UTF-8.") from None
    except RecursionError:
        raise NotStrictJson("It is nested too deeply.") from None
    except ValueError:
        raise NotStrictJson("It is not JSON.") from None
    if not isinstance(parsed, dict):
        raise NotStrictJson("It is not a JSON object.")
    check_texts(parsed, deepest)
    return parsed


def check_texts(value: Any, deepest: int) -> None:
    """Refuse texts with NUL or half a character in them, and what is nested too deeply.

    Raises:
        NotStrictJson: there is one.
    """
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise NotStrictJson("A text holds NUL or half a character.")
    elif isinstance(value, dict | list):
        if deepest == 0:
            raise NotStrictJson("It is nested too deeply.")
        for entry in [*value, *value.values()] if isinstance(value, dict) else value:
            check_texts(entry, deepest - 1)


def _unique_names(pairs: list[tuple[str, Any]]) -> JsonObject:
    names: JsonObject = {}
    for name, value in pairs:
        if name in names:
            raise NotStrictJson("The field comes twice.", field=name[:50])
        names[name] = value
    return names


def _refuse_constant(name: str) -> None:
    raise NotStrictJson(f"{name} is not JSON.")
