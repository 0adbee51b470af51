"""Four roles, which one table fills, and who is an administrator."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from merchants import roles
from merchants.models import Merchant
from merchants.rights import ADMINISTER, SENSITIVE, administers
from merchants.roles import ROLES
from merchants.scopes import visible_merchants
from tests.admin.conftest import World
from tests.admin.pages import action_of, list_of, page_of

migration = import_module("merchants.migrations.0006_roles")


def rights_of(name: str) -> set[str]:
    group = Group.objects.get(name=name)
    return {f"{app}.{code}" for app, code in group.permissions.values_list("content_type__app_label", "codename")}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_role_has_exactly_what_the_table_says(db: None, role: roles.Role) -> None:
    everything = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    assert rights_of(role.name) == (everything if role.rights is None else role.rights)


def test_the_sensitive_rights_are_not_a_marketing_role_s(db: None) -> None:
    assert not rights_of("Marketing") & {*SENSITIVE, ADMINISTER}
    assert rights_of("Administrator") >= {*SENSITIVE, ADMINISTER}


def test_an_auditor_changes_nothing(db: None) -> None:
    doing = {right for right in rights_of("Auditor") if not right.split(".")[1].startswith("view_")}
    assert doing == {"merchants.export"}


def test_what_staff_changed_in_a_role_is_put_back_by_migrate(db: None) -> None:
    marketing = Group.objects.get(name="Marketing")
    marketing.permissions.set(Permission.objects.filter(codename="delete_merchant"))
    Group.objects.get(name="Auditor").delete()
    own = Group.objects.create(name="Cashiers")
    own.permissions.set(Permission.objects.filter(codename="view_shop"))
    call_command("migrate", verbosity=0)
    assert rights_of("Marketing") == roles.MARKETING.rights
    assert rights_of("Auditor") == roles.AUDITOR.rights
    assert rights_of("Cashiers") == {"merchants.view_shop"}
    assert roles.sync() == []


def test_a_group_of_staff_s_own_that_is_called_like_a_role_stays_under_another_name(db: None) -> None:
    Group.objects.filter(name__in=migration.NAMES).delete()
    own = Group.objects.create(name="Marketing")
    own.permissions.set(Permission.objects.filter(codename="view_shop"))
    with connection.schema_editor() as editor:
        migration.make_groups(apps, editor)
    roles.sync()
    own.refresh_from_db()
    assert (own.name, rights_of(own.name)) == ("Marketing (before roles)", {"merchants.view_shop"})
    assert rights_of("Marketing") == roles.MARKETING.rights


def test_the_migration_and_the_table_name_the_same_roles() -> None:
    assert set(migration.NAMES) == {role.name for role in ROLES}


def test_an_administrator_by_role_sees_every_merchant_and_the_pages_of_administrators(
    browser: Any, member: Any, world: World
) -> None:
    user = member("Administrator")
    assert administers(user)
    assert set(visible_merchants(user)) == set(Merchant.objects.all())
    client = browser(user)
    for address in (list_of(User), page_of(world.other), page_of(world.account), page_of(world.smart)):
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("role", ["Marketing", "Operations", "Auditor"])
def test_the_others_see_their_merchants_and_no_page_of_administrators(
    browser: Any, member: Any, world: World, role: str
) -> None:
    user = member(role)
    assert not administers(user)
    assert list(visible_merchants(user)) == [world.own]
    client = browser(user)
    assert client.get("/admin/").status_code == 200
    assert client.get(list_of(User)).status_code == 403
    assert client.get(page_of(world.account)).status_code in (302, 403)


def test_an_administrator_who_is_no_longer_active_or_staff_is_none(member: Any) -> None:
    for field in ("is_active", "is_staff"):
        user = member("Administrator", name=field)
        setattr(user, field, False)
        assert not administers(user)
        assert not visible_merchants(user).exists()


def test_roles_read_in_the_reader_s_language(root: Client, browser: Any, administrator: User) -> None:
    assert ">Operations<" in root.get(list_of(Group)).content.decode()
    assert str(Group.objects.get(name="Operations")) == str(roles.OPERATIONS.title)


def test_a_role_s_group_cannot_be_edited_or_deleted_by_hand(root: Client) -> None:
    marketing = Group.objects.get(name="Marketing")
    root.post(page_of(marketing), {"name": "Sellers", "permissions": []})
    root.post(action_of(marketing, "delete"), {"post": "yes"})
    marketing.refresh_from_db()
    assert (marketing.name, rights_of("Marketing")) == ("Marketing", roles.MARKETING.rights)
    own = Group.objects.create(name="Own")
    assert root.post(page_of(own), {"name": "Cashiers", "permissions": []}).status_code == 302
    own.refresh_from_db()
    assert own.name == "Cashiers"
