"""Calling services from pages: what they refuse is said in words, and nothing is called done that was not."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import ngettext

from coupons.errors import Refused
from coupons.models import CouponTemplate


def do(request: HttpRequest, service: Callable[[], Any], *, done: str) -> bool:
    """Call a service and say what came of it.

    Returns:
        Whether it did what was asked.
    """
    try:
        service()
    except Refused as refused:
        messages.error(request, refused.message)
    except ValidationError as error:
        for words in problems_in_words(error):
            messages.error(request, words)
    else:
        messages.success(request, done)
        return True
    return False


def do_each(request: HttpRequest, rows: Iterable[Any], service: Callable[[Any], Any]) -> int:
    """Call a service for each row, one transaction each, and say how many it refused and why.

    Returns:
        How many it did.
    """
    done = 0
    refused: dict[str, int] = {}
    for row in rows:
        try:
            service(row)
        except Refused as refusal:
            refused[refusal.message] = refused.get(refusal.message, 0) + 1
        except ValidationError as error:
            for words in problems_in_words(error):
                refused[words] = refused.get(words, 0) + 1
        else:
            done += 1
    for words, count in refused.items():
        said = ngettext("%(count)s not done: %(why)s", "%(count)s not done: %(why)s", count)
        messages.warning(request, said % {"count": count, "why": words})
    return done


def problems_in_words(error: ValidationError) -> list[str]:
    """The messages of a ValidationError, each after the name of its field."""
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    return [f"{_label(field)}: {message}" for field, found in error.message_dict.items() for message in found]


def _label(field: str) -> str:
    try:
        return capfirst(str(getattr(CouponTemplate._meta.get_field(field), "verbose_name", field)))
    except FieldDoesNotExist:
        return field
