"""Who may do what, as one table (`matrix.py`): each role at each page, action and form, at the merchant that they see
and at another one; each key at each call. What the table does not name fails, and so does what is not there any more.
"""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.admin.conftest import World
from tests.attack.state import look
from tests.people.everything import one_of_everything, one_of_what_is_nobodys
from tests.people.matrix import ADMINISTRATORS, NOBODY, PAGES, SHOW_NOTHING, WHO, listed, written
from tests.people.reaching import everything, label_of, others, reached

PHONES = "merchants_authenticator"
MODELS = sorted(admin.site._registry, key=label_of)
TABLE = listed()


@pytest.fixture
def both(world: World) -> World:
    """The world, in which both merchants have one of everything."""
    one_of_everything(world, world.template, world.own_incident, name="自家", mobile="13700001111", host="ours.example")
    one_of_everything(
        world, world.other_template, world.other_incident, name="别家", mobile="13700009999", host="theirs.example"
    )
    one_of_what_is_nobodys(world)
    return world


@pytest.fixture
def somebody(member: Any) -> Any:
    """Whoever a letter of the table stands for."""

    def make(letter: str) -> User | None:
        who = WHO[letter]
        if who == "anonymous":
            return None
        if who == "superuser":
            return User.objects.create_superuser("super", password="x")
        if who == "inactive":
            user: User = member("Administrator", name="inactive")
            User.objects.filter(pk=user.pk).update(is_active=False)
            return user
        role = who if Group.objects.filter(name=who).exists() else ""
        return member(role, name=who.replace(" ", "-"))

    return make


def browsing(user: User | None) -> Client:
    """Their browser."""
    client = Client(headers={"accept-language": "en"})
    if user is not None:
        client.force_login(user)
    return client


@pytest.mark.parametrize("letter", WHO, ids=lambda letter: WHO[letter])
def test_each_reaches_exactly_what_the_table_says(both: World, somebody: Any, letter: str) -> None:
    client = browsing(somebody(letter))
    before, wrong = look(), []
    for model in MODELS:
        own, other = others(model, both.own), others(model, both.other)
        rows = list(model._default_manager.all()[:3]) if own is None else own
        said = TABLE.get(label_of(model), {})
        found = reached(client, model, rows, of_rows=WHO[letter] == "superuser")  # the rest as administrators
        wrong += [(label_of(model), what, so) for what, so in found.items() if so != (letter in said.get(what, ""))]
        if other is not None and letter not in ADMINISTRATORS:
            assert other, f"{label_of(model)}: the other merchant has none"
            theirs = reached(client, model, other, of_rows=True)
            wrong += [(label_of(model), f"{what} of another merchant's", True) for what, so in theirs.items() if so]
    for address, who in PAGES.items():
        if (client.get(address).status_code == 200) != (letter in who):
            wrong.append((address, "page", letter not in who))
    assert not wrong, written(letter, wrong)
    after = {**look(), PHONES: before[PHONES]}  # the page that sets up a phone shows a key, and keeps it
    assert after == before, "what was refused, and what was only asked, has changed something"


def test_the_table_names_all_that_there_is_and_nothing_else() -> None:
    there = everything()
    assert there.pop("/") == {page.partition("?")[0] for page in PAGES} | SHOW_NOTHING
    missing = {label: sorted(names - set(TABLE.get(label, {}))) for label, names in there.items()}
    gone = {label: sorted(set(named) - there.get(label, set())) for label, named in TABLE.items()}
    assert {label: names for label, names in missing.items() if names} == {}, "name them in tests/people/matrix.py"
    assert {label: names for label, names in gone.items() if names} == {}
    assert not [who for named in TABLE.values() for who in named.values() if set(who) & set(NOBODY)]
