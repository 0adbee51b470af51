"""No list tells by its conditions, its order or its popups what it does not show: secrets, and masked numbers."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client

from merchants.admin.lookups import PRIVATE
from merchants.models import Customer
from tests.admin.conftest import World
from tests.admin.pages import list_of

DEPTH = 2  # relations from a list's own rows
GUESSES = ("startswith", "contains", "regex", "gt", "lt", "iexact", "range")
WORDS = {"message", "last_message"}  # of other systems: masked where they are shown


def ways(model: Any, depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """Every way from a model's rows to a value, as lookups are written, with the value's field."""
    for field in model._meta.get_fields():
        related = field.related_model if field.is_relation else None
        if isinstance(field, models.Field) and related is None:
            yield field.name, field
        elif isinstance(related, type) and depth:
            yield from ((f"{field.name}__{path}", end) for path, end in ways(related, depth - 1))


@pytest.fixture
def request_of_an_administrator(rf: Any, administrator: User) -> Any:
    """A request of someone who may see everything."""
    request = rf.get("/")
    request.user = administrator
    return request


def test_no_condition_guesses_at_a_value_piece_by_piece(request_of_an_administrator: Any) -> None:
    told = []
    for model, page in admin.site._registry.items():
        for path, field in ways(model):
            asked = [f"{path}__{guess}" for guess in GUESSES] + ([path] if field.name in PRIVATE else [])
            told += [
                (model, lookup) for lookup in asked if page.lookup_allowed(lookup, "1", request_of_an_administrator)
            ]
    assert told == []


def test_no_list_is_ordered_by_what_is_masked(request_of_an_administrator: Any) -> None:
    for model, page in admin.site._registry.items():
        shown = page.get_changelist_instance(request_of_an_administrator)
        orders = [shown.get_ordering_field(name) for name in shown.list_display]
        names = {str(getattr(order, "name", order)).lstrip("-").rpartition("__")[2] for order in orders if order}
        assert not names & (PRIVATE - WORDS), model


def test_popups_hand_out_no_field_that_nothing_refers_to(lili: Client, root: Client, world: World) -> None:
    for field in ("mobile", "openid", "identifier", "customer__mobile", "password"):
        for browser, model in ((lili, Customer), (root, User)):
            assert browser.get(list_of(model), {"_popup": "1", "_to_field": field}).status_code == 400, field
