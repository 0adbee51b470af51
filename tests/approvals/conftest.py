"""The small world of tests/admin, and somebody in it who may approve."""

from typing import Any

import pytest
from django.test import Client

from tests.admin.conftest import World, administrator, browser, lili, root, staff, world
from tests.approvals.helpers import approver

__all__ = ["administrator", "browser", "lili", "root", "staff", "world"]


@pytest.fixture
def second(browser: Any, world: World) -> Client:
    """Somebody who may approve at the first merchant, and nothing else."""
    client: Client = browser(approver(world.own))
    return client
