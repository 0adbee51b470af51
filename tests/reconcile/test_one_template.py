"""A template's page against the dfire of its merchant: telling it at once, and both sides field by field."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.admin.template_compare import DfireTemplates
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import engine
from integrations.sandbox.server import Sandbox
from integrations.sync.telling import tell_now
from merchants.models import Merchant, MerchantScope
from tests.admin.pages import act, action_of, page_of
from tests.factories import CouponTemplateFactory, ShopFactory, published
from tests.reconcile.dfire import Dfire

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lili(merchant: Merchant) -> User:
    user = User.objects.create_user("lili", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="coupons"))
    MerchantScope.objects.create(user=user).merchants.add(merchant)
    return user


@pytest.fixture
def browser(lili: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(lili)
    return client


def compared(browser: Client, template: CouponTemplate) -> Any:
    response = browser.get(action_of(template, "compare"))
    assert response.status_code == 200
    return response.context["comparison"]


def differing(comparison: Any) -> dict[str, tuple[str, str]]:
    return {str(one.label): (one.here, one.there) for one in comparison.fields if not one.same}


def saves(template: CouponTemplate) -> list[str]:
    rows = OutboxRow.objects.filter(template=template, coupon=None).order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_what_is_the_same_is_said_field_by_field(browser: Client, dfire: Dfire, template: CouponTemplate) -> None:
    found = compared(browser, template)
    assert found.variant == "success"
    assert [str(one.label) for one in found.fields] == [
        "title", "start date", "last day of use", "valid in these shops",
    ]  # fmt: skip
    assert differing(found) == {}


def test_what_differs_stands_beside_ours(browser: Client, dfire: Dfire, merchant: Merchant) -> None:
    shop = ShopFactory(merchant=merchant, name="西湖店")
    template = published(merchant=merchant, shop_entity_ids=[shop.entity_id])
    engine.drain()
    other = timezone.localdate() + timedelta(days=9)
    dfire.rename(template.coupon_id, title="somebody's own words", rules="{}", end_date=f"{other:%Y%m%d}")
    found = differing(compared(browser, template))
    assert found["title"] == ("满50减10", "somebody's own words")
    assert found["valid in these shops"] == ("西湖店", "all shops")
    assert set(found) == {"title", "valid in these shops", "last day of use"}
    html = browser.get(action_of(template, "compare")).content.decode()
    assert "3 fields are different at dfire. Sync now writes ours over them." in html
    act(browser, template, "sync")
    engine.drain()
    assert differing(compared(browser, template)) == {}


def test_what_is_gone_at_dfire_is_said(browser: Client, dfire: Dfire, template: CouponTemplate) -> None:
    dfire.drop_promotion(template.coupon_id)
    assert compared(browser, template).words == "dfire does not list it any more, although it was saved there."


def test_what_was_never_saved_there_is_said(browser: Client, dfire: Dfire, merchant: Merchant) -> None:
    waiting = published(merchant=merchant)
    assert compared(browser, waiting).words == "dfire does not have it: it has not been saved there yet."
    draft = CouponTemplateFactory(merchant=merchant)
    assert compared(browser, draft).words == "It has never been published, so dfire does not have it."


def test_a_dfire_that_is_down_is_said_in_words(browser: Client, sandbox: Sandbox, template: CouponTemplate) -> None:
    sandbox.stop()
    found = compared(browser, template)
    assert found.variant == "danger"
    assert found.words.startswith("dfire could not be asked: ")
    assert "Nothing has been changed." in found.words


def test_a_merchant_without_an_account_is_said(browser: Client, template: CouponTemplate) -> None:
    Merchant.objects.filter(pk=template.merchant_id).update(dfire_account=None)
    assert compared(browser, template).variant == "warning"


def test_dfire_is_asked_outside_of_any_transaction(
    browser: Client, template: CouponTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    real = DfireTemplates.compare

    def noted(self: DfireTemplates, one: CouponTemplate) -> Any:
        inside.append(connection.in_atomic_block)
        return real(self, one)

    monkeypatch.setattr(DfireTemplates, "compare", noted)
    compared(browser, template)
    assert inside == [False]


@pytest.mark.parametrize(
    ("state", "done", "after"),
    [
        (RowState.DONE, "again", ["done", "queued"]),
        (RowState.DEAD, "retried", ["queued"]),
        (RowState.QUEUED, "hurried", ["queued"]),
        (RowState.SENDING, "sending", ["sending"]),
        (RowState.WAITING, "waiting", ["waiting"]),
        (RowState.CANCELLED, "again", ["cancelled", "queued"]),
    ],
)
def test_telling_goes_on_from_where_it_stands(
    template: CouponTemplate, state: str, done: str, after: list[str]
) -> None:
    later = timezone.now() + timedelta(minutes=5)
    leased = {"lease_token": uuid4(), "lease_until": later} if state == RowState.SENDING else {}
    OutboxRow.objects.filter(template=template).update(state=state, available_at=later, **leased)
    assert tell_now(template) == done
    assert saves(template) == after
    if done in ("hurried", "retried"):
        assert OutboxRow.objects.get(template=template).available_at <= timezone.now()


def test_a_draft_is_not_told_and_has_no_such_button(browser: Client, merchant: Merchant) -> None:
    draft = CouponTemplateFactory(merchant=merchant)
    assert act(browser, draft, "sync") == ["It has not been published yet, so dfire is not told of it."]
    assert saves(draft) == []
    assert "Sync now" not in browser.get(page_of(draft)).content.decode()


def test_the_page_offers_both_beside_the_badge(browser: Client, template: CouponTemplate) -> None:
    html = browser.get(page_of(template)).content.decode()
    assert f'href="{action_of(template, "compare")}" class="text-link"' in html
    assert f'hx-get="{action_of(template, "sync")}"' in html


def test_permission_and_scope(browser: Client, lili: User, template: CouponTemplate) -> None:
    other = published()
    for path in ("sync", "compare"):
        assert browser.get(action_of(other, path)).status_code == 404
    lili.user_permissions.set(lili.user_permissions.none())
    assert browser.get(action_of(template, "compare")).status_code == 403
    lili.user_permissions.set(Permission.objects.filter(codename="view_coupontemplate"))
    assert browser.get(action_of(template, "compare")).status_code == 200
    assert browser.post(action_of(template, "sync"), {"_form_submitted": "1"}).status_code == 403
    assert "Sync now" not in browser.get(page_of(template)).content.decode()
