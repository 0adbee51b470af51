"""The small world of tests/admin, and members of staff with a role in it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from merchants.models import MerchantScope
from tests.admin.conftest import World, browser, world

__all__ = ["browser", "world"]

PASSWORD = "korrekt-Pferd-Batterie-9"


@pytest.fixture
def member(world: World) -> Callable[..., User]:
    """A member of staff with the named role, who sees the first merchant."""

    def make(role: str, name: str = "", **fields: Any) -> User:
        user = User.objects.create_user(name or f"a-{role.lower()}", password=PASSWORD, is_staff=True, **fields)
        user.groups.set(Group.objects.filter(name=role))
        MerchantScope.objects.create(user=user).merchants.add(world.own)
        return user

    return make


@pytest.fixture
def administrator(db: None) -> User:
    """Sees everything."""
    user: User = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    return user


@pytest.fixture
def root(browser: Any, administrator: User) -> Client:
    """The administrator's browser, in English."""
    client: Client = browser(administrator)
    return client
