"""JSON as strangers send it: read strictly, so that no two readers can understand it differently."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

JsonObject = dict[str, Any]

_MOST_DIGITS_OF_AN_INTEGER = 1000  # Python itself refuses to read integers of some thousand digits
_LONGEST_SHOWN = 50
_BYTE_ORDER_MARK = "\ufeff"


class NotStrictJson(ValueError):
    """The text is not one JSON object, or not an unambiguous one. `field` names the place where one is to blame."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def loads(body: bytes, *, deepest: int = 8) -> JsonObject:
    """The JSON object in the body.

    Numbers with a fraction or an exponent come as Decimal, and so do integers of absurd length; a number beyond every
    bound comes as Decimal infinity. Whoever reads the field then refuses it by its name.

    Raises:
        NotStrictJson: not UTF-8, not JSON, not an object, a name twice, NaN or infinity, nested more than `deepest`
            levels, or text that no database can store.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrictJson("The text is not UTF-8.") from None
    if text.startswith(_BYTE_ORDER_MARK):
        raise NotStrictJson("The text begins with a byte order mark; JSON is UTF-8 without one.")
    try:
        parsed = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_names,
        )
    except NotStrictJson:
        raise
    except RecursionError:
        raise NotStrictJson("It is nested too deeply.") from None
    except ValueError:
        raise NotStrictJson("It is not JSON." if text.strip() else "It is empty.") from None
    if not isinstance(parsed, dict):
        raise NotStrictJson("It is not a JSON object.")
    check_texts(parsed, deepest)
    return parsed


def check_texts(value: Any, deepest: int, place: str = "") -> None:
    """Refuse texts with NUL or half a character in them, and what is nested too deeply.

    Raises:
        NotStrictJson: there is one; it names the place.
    """
    if isinstance(value, str):
        if _unstorable(value):
            raise NotStrictJson("The text holds NUL or half a character.", field=place)
    elif isinstance(value, dict):
        _check_depth(deepest, place)
        for name, entry in value.items():
            inside = f"{place}.{shown(name)}" if place else shown(name)
            if _unstorable(name):
                raise NotStrictJson("The name holds NUL or half a character.", field=inside)
            check_texts(entry, deepest - 1, inside)
    elif isinstance(value, list):
        _check_depth(deepest, place)
        for position, entry in enumerate(value):
            check_texts(entry, deepest - 1, f"{place}[{position}]")


def shown(name: str) -> str:
    """A name that a stranger chose, as it may stand in an answer, a log and the database."""
    return "".join(char if char.isprintable() else "\ufffd" for char in name[:_LONGEST_SHOWN])


def _unstorable(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text)


def _check_depth(deepest: int, place: str) -> None:
    if deepest == 0:
        raise NotStrictJson("It is nested too deeply.", field=place)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent that not even Decimal holds
        return Decimal("Infinity")


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MOST_DIGITS_OF_AN_INTEGER else Decimal(text)


def _unique_names(pairs: list[tuple[str, Any]]) -> JsonObject:
    names: JsonObject = {}
    for name, value in pairs:
        if name in names:
            raise NotStrictJson("The field comes twice.", field=shown(name))
        names[name] = value
    return names


def _refuse_constant(name: str) -> None:
    raise NotStrictJson(f"{name} is not JSON.")
