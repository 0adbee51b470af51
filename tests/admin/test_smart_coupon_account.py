"""The page of a smart-coupon account: addresses to copy, last pushes, new addresses without a gap, a test push."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from integrations.models import ConsumeReport, Push, ReportLane
from integrations.smart_coupon import tokens
from merchants.models import SmartCouponAccount
from tests.admin.conftest import World
from tests.admin.pages import page_of
from tests.factories import SmartCouponAccountFactory, issued
from tests.hooks.helpers import address_of, create_push, post

pytestmark = pytest.mark.django_db
Browser = Callable[..., Client]


def act(client: Client, account: SmartCouponAccount, name: str, **fields: Any) -> Any:
    """Say yes in a dialog of the account's page."""
    url = page_of(account).replace("/change/", f"/{name}/")
    return client.post(url, {"_form_submitted": "1", **fields}, follow=True)


@pytest.fixture
def page(browser: Browser, administrator: User, world: World) -> Callable[[], str]:
    client = browser(administrator, "en")
    return lambda: client.get(page_of(world.smart)).content.decode()


def test_both_addresses_can_be_copied(page: Callable[[], str], world: World) -> None:
    html = page()
    for kind in ("coupon", "coupon-detail"):
        assert f'data-copy="http://testserver/hooks/smart-coupon/{world.smart.token}/{kind}/"' in html
    assert "portal/copy.js" in html


@pytest.mark.parametrize(
    ("key", "required", "words"), [("", False, "none"), ("k", False, "revisions 2 and 3"), ("k", True, "required")]
)
def test_the_list_says_which_pushes_must_be_signed(
    browser: Browser, administrator: User, world: World, key: str, required: bool, words: str
) -> None:
    world.smart.developer_key, world.smart.require_signature = key, required
    world.smart.save()
    page = browser(administrator, "en").get("/admin/merchants/smartcouponaccount/").content.decode()
    assert "portal-badge" in page
    assert words in page.partition("field-signature_shown")[2].partition("</td>")[0]


def test_a_signature_can_be_required_only_with_a_key_to_check_it(
    browser: Browser, administrator: User, world: World
) -> None:
    client = browser(administrator, "en")
    SmartCouponAccount.objects.filter(pk=world.smart.pk).update(developer_key="")
    form = {
        "name": world.smart.name, "merchants": [world.own.pk], "repeat_window_seconds": "600", "developer_key": "",
        "allowed_addresses": "", "consume_base_url": "", "app_id": "", "app_secret": "", "require_signature": "on",
    }  # fmt: skip
    answer = client.post(page_of(world.smart), form)
    assert "without it every push is refused" in answer.content.decode()
    assert client.post(page_of(world.smart), {**form, "developer_key": "typed"}).status_code == 302
    assert client.post(page_of(world.smart), form).status_code == 302, "the stored one stays"
    account = SmartCouponAccount.objects.get(pk=world.smart.pk)
    assert (account.require_signature, account.developer_key) == (True, "typed")


def test_the_list_of_pushes_marks_repeats_and_those_alone(browser: Browser, administrator: User, world: World) -> None:
    for repeated in (True, False):
        Push.objects.create(
            account=world.smart, address="coupon", received_at=timezone.now(), status=200, body="{}", answer={},
            repeated=repeated,
        )  # fmt: skip
    page = browser(administrator, "en").get("/admin/integrations/push/?outcome=done").content.decode()
    cells = [part.partition("</td>")[0] for part in page.split("field-repeated_shown")[1:3]]
    assert ["portal-badge" in cell for cell in cells] == [False, True]
    assert "cancel" not in "".join(cells), "no sign of something wrong"


def test_the_last_fifty_pushes_and_the_revision_are_shown(page: Callable[[], str], world: World) -> None:
    for number in range(60):
        Push.objects.create(
            account=world.smart, address="coupon", revision=2, received_at=timezone.now(), status=400,
            body=f'{{"n": "push-{number:02}."}}', answer={"error": {"code": "c", "message": f"refused-{number:02}."}},
        )  # fmt: skip
    html = page()
    assert "Revision 2, last pushed" in html
    assert "refused-59." in html
    assert "refused-10." in html
    assert "refused-09." not in html


def test_new_addresses_and_the_old_ones_both_work_until_their_time(
    browser: Browser, administrator: User, world: World
) -> None:
    client, account, old = browser(administrator, "en"), world.smart, world.smart.token
    response = act(client, account, "rotate", hours="24")
    assert response.status_code == 200
    account.refresh_from_db()
    assert account.token != old
    assert account.previous_token == old
    assert "No push has come to them since." in response.content.decode()
    refused = {found.pk if (found := tokens.account_of(token)) else None for token in (old, account.token)}
    assert refused == {account.pk}
    account.refresh_from_db()
    assert account.previous_used_at is not None
    assert "A push last came to them" in client.get(page_of(account)).content.decode()
    SmartCouponAccount.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert tokens.account_of(old) is None
    assert tokens.account_of(account.token) == account
    assert "still work until" not in client.get(page_of(account)).content.decode()


def test_a_push_to_the_old_address_is_answered(browser: Browser, administrator: User, world: World) -> None:
    old = address_of(world.smart)
    tokens.rotate(world.smart, keep=timedelta(hours=1))
    assert post(old, create_push(merchant_id="own")).status_code == 200
    assert post(old, create_push(merchant_id="other", coupon_name="x")).status_code == 404
    act(browser(administrator, "en"), world.smart, "end-previous")
    assert post(old, create_push(merchant_id="own")).status_code == 404
    world.smart.refresh_from_db()
    assert (world.smart.previous_token, world.smart.previous_token_hash) == ("", None)
    assert post(address_of(world.smart), create_push(merchant_id="own")).status_code == 200


def test_the_token_before_the_one_before_ends_at_once(world: World) -> None:
    first = world.smart.token
    for _ in range(2):
        tokens.rotate(world.smart, keep=timedelta(days=30))
    assert tokens.account_of(first) is None


def test_old_tokens_are_encrypted(world: World) -> None:
    old = world.smart.token
    tokens.rotate(world.smart, keep=timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT previous_token, previous_token_hash FROM merchants_smartcouponaccount")
        for column in cursor.fetchone():
            assert old not in column


def test_only_administrators_make_new_addresses(lili: Client, world: World) -> None:
    before = world.smart.token
    response = act(lili, world.smart, "rotate", hours="24")
    world.smart.refresh_from_db()
    assert (world.smart.token, response.status_code in (302, 403, 404)) == (before, True)


def test_a_stopped_lane_is_said_and_new_credentials_try_at_once(
    browser: Browser, administrator: User, world: World
) -> None:
    client = browser(administrator, "en")
    SmartCouponAccount.objects.update(consume_base_url="http://127.0.0.1:9", app_id="a")
    ReportLane.objects.create(
        account=world.smart, stopped_at=timezone.now(), code="SE03", next_at=timezone.now() + timedelta(hours=1)
    )
    ConsumeReport.objects.create(coupon=world.coupon, account=world.smart, available_at=timezone.now())
    html = client.get(page_of(world.smart)).content.decode()
    assert "Reports have stopped: The platform refuses app_id and app_secret." in html
    assert "Queued 1" in html
    other: SmartCouponAccount = SmartCouponAccountFactory()
    ConsumeReport.objects.create(coupon=issued(world.coupon.template), account=other, available_at=timezone.now())
    listed = f"/admin/integrations/consumereport/?account__id__exact={world.smart.pk}"
    assert f'href="{listed}"' in html
    found = client.get(listed).context["cl"].result_list
    assert [report.account for report in found] == [world.smart], "this account's alone"
    form = {
        "name": world.smart.name, "merchants": [world.own.pk], "repeat_window_seconds": "600", "developer_key": "",
        "allowed_addresses": "", "consume_base_url": "http://127.0.0.1:9", "app_id": "b", "app_secret": "",
    }  # fmt: skip
    assert client.post(page_of(world.smart), form).status_code == 302
    assert ReportLane.objects.get().next_at is None


def test_a_test_push_needs_the_sandbox(
    browser: Browser, administrator: User, world: World, settings: LazySettings
) -> None:
    settings.DFIRE_SANDBOX = False
    client = browser(administrator, "en")
    assert "test-push" not in client.get(page_of(world.smart)).content.decode()
    settings.DFIRE_SANDBOX, settings.SANDBOX_URL = True, "http://127.0.0.1:9"
    assert "test-push" in client.get(page_of(world.smart)).content.decode()
    response = act(client, world.smart, "test-push", revision="1")
    assert "The sandbox did not answer" in response.content.decode()


@pytest.mark.parametrize(
    ("address", "typed", "kept"),
    [
        ("https://evil.example", "", False),
        ("http://platform.example", "", False),
        ("https://platform.example:8443", "", False),
        ("https://platform.example@evil.example", "", False),
        ("https://platform.example:x", "", False),
        ("https://PLATFORM.example:443/v2", "", True),
        ("", "", True),
        ("https://new.example", "typed-anew", True),
    ],
)
def test_a_stored_secret_is_not_sent_to_another_server(
    browser: Browser, administrator: User, world: World, address: str, typed: str, kept: bool
) -> None:
    client = browser(administrator, "en")
    SmartCouponAccount.objects.update(consume_base_url="https://platform.example", app_id="a")
    form = {
        "name": world.smart.name, "merchants": [world.own.pk], "repeat_window_seconds": "600", "developer_key": "",
        "allowed_addresses": "", "consume_base_url": address, "app_id": "a", "app_secret": typed,
    }  # fmt: skip
    answer = client.post(page_of(world.smart), form)
    account = SmartCouponAccount.objects.get(pk=world.smart.pk)
    assert answer.status_code == (302 if kept else 200)
    assert account.consume_base_url == (address if kept else "https://platform.example")
    assert account.app_secret == (typed or world.smart.app_secret)
    if not kept and "evil" in address:
        assert "leads to another server" in answer.context["adminform"].form.errors["app_secret"][0]
