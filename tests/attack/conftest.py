"""Whom to attack, and how many inputs there were at the end."""

import logging
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from django.test import override_settings

from integrations import rates
from tests.api.conftest import _no_doorbell, api, at_once, merchant, template
from tests.attack import budget
from tests.attack.state import State, look
from tests.attack.world import World, build

__all__ = ["_no_doorbell", "api", "at_once", "merchant", "template"]

# Thousands in a second are meant, and nobody waits for a dfire that is not there.
UNLIMITED = {
    "HOOK_RATE_LIMIT": 0, "API_RATE_LIMIT": 0, "API_UNKNOWN_CODES_A_MINUTE": 0, "API_UNKNOWN_CODES_IN_ALL": 0,
    "API_WRONG_KEYS_A_MINUTE": 0, "PUSH_CONFIRM_AT_ONCE": 0,
}  # fmt: skip


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Everything that there is to be attacked, without limits."""
    monkeypatch.setattr(rates, "_quiet_until", 0.0)
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # some lines for each of thousands of calls
    with override_settings(**UNLIMITED):
        yield build()


@pytest.fixture
def before(world: World) -> State:
    """What stood in the database before the attack; each input is undone, so it is before every one of them."""
    return look()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Tell how many inputs the test has sent, to whichever process sums them up (tests/conftest.py)."""
    if call.when == "call" and (count := budget.taken()):
        item.user_properties.append((budget.PROPERTY, count))
    return (yield)
