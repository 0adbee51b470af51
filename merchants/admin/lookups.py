"""Which conditions an address may put to a list.

Django takes every lookup on a list's own fields from the address. Patterns and ranges would tell what is masked, digit
by digit, or start a regular expression over millions of rows; so only whole values of what is no secret are asked for.
"""

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

PRIVATE = frozenset(
    (
        "mobile",
        "identifier",
        "openid",
        "delivered_mobile",
        "delivered_openid",
        "text",
        "parameters",
        "body",
        "request",
        "answer",
        "payload",
        "details",
        "message",
        "last_message",
        "password",
    )
)
_WHOLE: tuple[list[str], ...] = ([], ["exact"], ["in"], ["isnull"])


def asks_plainly(model: type[Model], lookup: str) -> bool:
    """Whether the lookup asks for whole values, by no field that is masked somewhere."""
    parts = lookup.split("__")
    at: type[Model] | None = model
    for number, name in enumerate(parts):
        try:
            field = at._meta.get_field(name) if at is not None else None
        except FieldDoesNotExist:
            field = None
        if field is None:  # what no field is called is a filter's parameter, or nothing
            return parts[number + 1 if name == "pk" or number == 0 else number :] in _WHOLE
        if name in PRIVATE:
            return False
        at = field.related_model if field.is_relation else None
    return True
