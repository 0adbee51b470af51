"""Rights that are kept apart: whole numbers, files, many coupons at once, accounts: on page, action and URL."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from coupons import batches
from coupons.choices import BatchState
from coupons.models import Batch, IssuedCoupon
from merchants.models import DfireAccount, SmartCouponAccount
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, action_of, list_of, page_of
from tests.factories import DfireAccountFactory


def give(user: User, codename: str) -> None:
    user.user_permissions.add(Permission.objects.get(codename=codename))


@pytest.fixture
def batch(world: World) -> Batch:
    """Three customers, checked."""
    made = batches.begin_issue(world.template, "13811110001\n13811110002\n13811110003\nbad\x01")
    batches.work_all()
    made.refresh_from_db()
    assert made.total == 3
    return made


def test_many_at_once_need_a_right(browser: Any, member: Any, batch: Batch, settings: Any) -> None:
    settings.ISSUE_WITHOUT_RIGHT_LIMIT = 2
    user = member("Marketing")
    client = browser(user)
    refused = "You may issue 2 coupons at once."
    assert refused in client.get(action_of(batch.template, "issue-many")).content.decode()
    assert refused in client.get(action_of(batch, "start")).content.decode()
    assert act(client, batch, "start")[0].startswith(refused)
    batch.refresh_from_db()
    assert batch.state == BatchState.READY
    give(user, "issue_any_number")
    client.get("/admin/")  # shows the message
    assert refused not in client.get(action_of(batch.template, "issue-many")).content.decode()
    assert act(client, batch, "start") == ["Started."]


def test_as_many_as_the_limit_need_none(browser: Any, member: Any, batch: Batch, settings: Any) -> None:
    settings.ISSUE_WITHOUT_RIGHT_LIMIT = 3
    assert act(browser(member("Marketing")), batch, "start") == ["Started."]


def test_files_need_a_right(browser: Any, member: Any, world: World, batch: Batch) -> None:
    user = member("Marketing")
    client = browser(user)
    files = (
        *(f"{list_of(IssuedCoupon)}export-csv/", f"{list_of(IssuedCoupon)}export-xlsx/"),
        *("/admin/settlement/?format=csv", "/admin/settlement/budgets/?format=xlsx", action_of(batch, "failed")),
    )
    assert [client.get(address).status_code for address in files] == [403] * len(files)
    assert "export-csv" not in client.get(list_of(IssuedCoupon)).content.decode()
    assert "format=csv" not in client.get("/admin/settlement/").content.decode()
    give(user, "export")
    assert [client.get(address).status_code for address in files] == [200] * len(files)
    assert "export-csv" in client.get(list_of(IssuedCoupon)).content.decode()


def test_the_right_to_files_opens_no_list(browser: Any, world: World) -> None:
    user = User.objects.create_user("narrow", is_staff=True)
    give(user, "export")
    assert browser(user).get(f"{list_of(IssuedCoupon)}export-csv/").status_code == 403


def test_whoever_made_a_batch_has_its_file(browser: Any, member: Any, batch: Batch) -> None:
    user = member("Marketing")
    Batch.objects.update(created_by=user)
    assert browser(user).get(action_of(batch, "failed")).status_code == 200


@pytest.mark.parametrize("role", ["Marketing", "Operations", "Auditor"])
def test_whole_numbers_need_a_right(browser: Any, member: Any, world: World, role: str) -> None:
    user = member(role)
    client = browser(user)
    addresses = (list_of(IssuedCoupon), page_of(world.coupon), page_of(world.coupon.customer))
    for address in addresses:
        assert MOBILE not in client.get(address).content.decode(), address
    give(user, "view_full_mobile")
    assert [address for address in addresses if MOBILE in client.get(address).content.decode()]


def test_accounts_need_a_right_and_all_their_merchants(browser: Any, member: Any, world: World) -> None:
    user = member("Operations")
    client = browser(user)
    for model in (DfireAccount, SmartCouponAccount):
        assert client.get(list_of(model)).status_code == 403
    give(user, "manage_accounts")
    assert client.get(page_of(world.smart)).status_code == 200
    assert client.get(action_of(world.smart, "rotate")).status_code == 200
    assert client.get(page_of(world.account)).status_code == 302, "another merchant uses it, too"
    assert client.get(action_of(world.account, "test")).status_code == 404
    world.own.dfire_account = own = DfireAccountFactory(name="own")
    world.own.save()
    assert client.get(page_of(own)).status_code == 200
    assert client.get(action_of(own, "test")).status_code == 200
    for model in (DfireAccount, SmartCouponAccount):
        assert client.get(f"{list_of(model)}add/").status_code == 403
    assert client.get(page_of(own).replace("/change/", "/delete/")).status_code == 403
    form = {"name": "x", "merchants": [world.own.pk, world.other.pk], "repeat_window_seconds": "600"}
    assert "merchants" in client.post(page_of(world.smart), form).context["adminform"].form.errors
