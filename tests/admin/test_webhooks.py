"""Webhooks in the admin: secrets shown once, tests, rotation, the log scoped to merchants, sending again."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from integrations.models import ApiCall, ApiKey, Incident, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.alerts import IncidentKind
from integrations.models.partners import WebhookEvent
from integrations.outbox import doorbell
from integrations.webhooks import driving, switching
from tests.admin.conftest import MOBILE, SECRETS, World
from tests.admin.pages import act, act_on_selected, action_of, add_of, list_of, page_of, said, trail_of
from tests.factories import issued
from tests.webhooks.partner import Partner, answers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setattr(doorbell, "ring", lambda *args: None)
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def partner() -> Iterator[Partner]:
    """The partner's server."""
    server = Partner()
    yield server
    server.stop()


@pytest.fixture
def hook(world: World, partner: Partner) -> WebhookEndpoint:
    """Its address, for both merchants."""
    world.partner.merchants.add(world.own, world.other)
    WebhookEndpoint.objects.update(url=partner.url, secret=partner.secret, events=WebhookEvent.values)
    return WebhookEndpoint.objects.get()


def told(hook: WebhookEndpoint, world: World) -> tuple[WebhookDelivery, WebhookDelivery]:
    """A delivery of the own merchant and one of the other's."""
    first, second = issued(world.template, world.coupon.customer), issued(world.other_template)
    driving.drain()
    return WebhookDelivery.objects.get(coupon=first), WebhookDelivery.objects.get(coupon=second)


def test_a_new_webhook_gets_a_secret_that_is_shown_once(root: Client, world: World) -> None:
    form = {"app": world.partner.pk, "url": "https://partner.example/new", "events": ["coupon.issued"]}
    response = root.post(add_of(WebhookEndpoint), form)
    assert response.status_code == 302
    stored = WebhookEndpoint.objects.latest("pk")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", stored.secret)
    assert any(stored.secret in words for words in said(response))
    assert f'data-copy="{stored.secret}"' in root.get(page_of(stored)).content.decode()
    assert stored.secret not in root.get(page_of(stored)).content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://partner.example/"}, {"url": "https://169.254.169.254/"}, {"url": "https://10.0.0.1/"},
        {"url": "https://0x0a000001/"}, {"url": "https://a:b@partner.example/"}, {"events": []},
    ],
)  # fmt: skip
def test_what_can_never_work_is_refused_in_the_form(
    root: Client, world: World, settings: LazySettings, fields: dict[str, Any]
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    form = {"app": world.partner.pk, "url": "https://partner.example/new", "events": ["coupon.issued"], **fields}
    response = root.post(add_of(WebhookEndpoint), form)
    assert response.status_code == 200
    assert set(response.context["adminform"].form.errors) == set(fields)
    assert WebhookEndpoint.objects.count() == 1


def test_editing_keeps_the_secret(root: Client, world: World) -> None:
    hook = WebhookEndpoint.objects.get()
    form = {"app": world.partner.pk, "url": hook.url, "events": ["coupon.revoked"]}
    assert root.post(page_of(hook), form).status_code == 302
    hook.refresh_from_db()
    assert (hook.events, hook.secret) == (["coupon.revoked"], SECRETS["hook"])


def test_a_mended_address_is_tried_at_once(root: Client, hook: WebhookEndpoint, world: World, partner: Partner) -> None:
    WebhookEndpoint.objects.update(url="http://127.0.0.1:1/")
    told(hook, world)
    assert driving.drain() == 0
    form = {"url": partner.url, "events": ["coupon.issued"], "app": 0}
    assert root.post(page_of(hook), form).status_code == 302
    driving.drain()
    hook.refresh_from_db()
    assert (len(partner.received), hook.app) == (2, world.partner)


def test_the_apps_page_lists_its_webhooks_and_leads_to_a_new_one(root: Client, world: World) -> None:
    html = root.get(page_of(world.partner)).content.decode()
    assert page_of(WebhookEndpoint.objects.get()) in html
    response = root.get(action_of(world.partner, "add-webhook"))
    assert response.headers["Location"] == f"{add_of(WebhookEndpoint)}?app={world.partner.pk}"
    form = {
        "name": "小程序", "merchants": [world.own.pk], "scopes": ["coupons:issue"],
        "keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0, "webhooks-TOTAL_FORMS": 0, "webhooks-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert root.post(page_of(world.partner), form).status_code == 302
    world.partner.refresh_from_db()
    assert (world.partner.scopes, world.partner.webhooks.count()) == (["coupons:issue"], 1)


def test_a_test_event_says_what_came_of_it(root: Client, hook: WebhookEndpoint, partner: Partner) -> None:
    assert "HTTP 200" in act(root, hook, "test")[0]
    partner.next = [answers(500, b"not now")]
    act(root, hook, "test")
    failed = WebhookDelivery.objects.latest("pk")
    html = root.get(page_of(failed)).content.decode()
    assert (failed.state, "HTTP 500" in html, "not now" in html) == ("failed", True, True)
    assert partner.types() == ["webhook.test", "webhook.test"]


@pytest.mark.parametrize(("keep", "signatures"), [("24", 2), ("0", 1)])
def test_a_secret_is_replaced_with_or_without_time_to_change(
    root: Client, hook: WebhookEndpoint, world: World, partner: Partner, keep: str, signatures: int
) -> None:
    words = act(root, hook, "new-secret", keep=keep)[0]
    hook.refresh_from_db()
    assert hook.secret in words
    assert hook.secret != partner.secret
    told(hook, world)
    assert len(partner.received[0].headers["webhook-signature"].split()) == signatures
    partner.received[0].read(hook.secret)


def test_switching_off_and_on_asks_about_what_is_pending(
    root: Client, hook: WebhookEndpoint, world: World, partner: Partner
) -> None:
    act(root, hook, "switch-off")
    told(hook, world)
    assert partner.received == []
    assert not Incident.objects.filter(kind=IncidentKind.WEBHOOK_OFF).exists(), "staff know what they do"
    html = root.get(page_of(hook)).content.decode()
    assert "Switched off since" in html
    assert "Pending events: 2" in root.get(action_of(hook, "switch-on")).content.decode()
    assert act(root, hook, "switch-on", pending="send") == ["Switched on. Events sent now: 2."]
    driving.drain()
    assert len(partner.received) == 2
    assert trail_of(hook) == [("root", "Switched off."), ("root", "Switched on.")]


def test_all_that_failed_is_sent_again_after_a_question_that_says_how_many(
    root: Client, hook: WebhookEndpoint, world: World, partner: Partner
) -> None:
    told(hook, world)
    WebhookDelivery.objects.update(state="failed")
    assert "Failed deliveries: 2." in root.get(action_of(hook, "resend-failed")).content.decode()
    assert act(root, hook, "resend-failed") == ["2 deliveries are queued again."]
    driving.drain()
    assert len({one.id for one in partner.received}) == 2
    assert len(partner.received) == 4


def test_the_log_shows_ones_own_merchants_deliveries_alone(
    lili: Client, hook: WebhookEndpoint, world: World, partner: Partner
) -> None:
    own, other = told(hook, world)
    html = lili.get(list_of(WebhookDelivery)).content.decode()
    assert page_of(own) in html
    assert page_of(other) not in html
    assert lili.get(page_of(other)).status_code in (302, 404)
    assert lili.post(action_of(other, "resend"), {"_form_submitted": "1"}).status_code == 404
    act_on_selected(lili, [other], "resend_selected", confirmed="1")
    other.refresh_from_db()
    assert other.state == "done"
    for query in (f"q={own.coupon.code}", f"q={own.webhook_id}", f"endpoint={hook.pk}", "state__exact=done"):  # type: ignore[union-attr]
        found = lili.get(f"{list_of(WebhookDelivery)}?{query}").content.decode()
        assert (page_of(own) in found, page_of(other) in found) == (True, False), query
    assert lili.get(f"{list_of(WebhookDelivery)}?q={other.webhook_id}").content.decode().count(page_of(other)) == 0
    assert lili.get(list_of(WebhookEndpoint)).status_code == 403


def test_the_content_is_masked_for_those_who_may_not_see_numbers(
    lili: Client, root: Client, hook: WebhookEndpoint, world: World, partner: Partner
) -> None:
    own, _other = told(hook, world)
    assert MOBILE in own.payload
    assert MOBILE not in lili.get(page_of(own)).content.decode()
    assert MOBILE in root.get(page_of(own)).content.decode()
    narrowed = lili.get(f"{list_of(WebhookDelivery)}?payload__exact={own.payload}", follow=True)
    assert narrowed.status_code in (200, 400)


def test_one_is_sent_again_by_those_who_may(
    lili: Client, staff: User, hook: WebhookEndpoint, world: World, partner: Partner
) -> None:
    own, _other = told(hook, world)
    assert act(lili, own, "resend") == ["1 delivery is queued again."]
    driving.drain()
    assert [one.id for one in partner.received].count(own.webhook_id) == 2
    staff.user_permissions.remove(Permission.objects.get(codename="change_webhookdelivery"))
    assert lili.post(action_of(own, "resend"), {"_form_submitted": "1"}).status_code == 403
    own.refresh_from_db()
    assert own.state == "done"


def test_every_attempt_stands_on_the_deliverys_page(
    root: Client, hook: WebhookEndpoint, world: World, partner: Partner
) -> None:
    partner.next = [answers(503, b"later please")]
    issued(world.template)
    driving.drain()
    delivery = WebhookDelivery.objects.get()
    WebhookAttempt.objects.create(delivery=delivery, started_at=timezone.now())  # its worker died
    html = root.get(page_of(delivery)).content.decode()
    for words in ("HTTP 503", "later please", "never noted", "asked to come later", delivery.webhook_id):
        assert words in html, words


@pytest.mark.parametrize("what", ["webhook", "app"])
def test_deleting_an_address_or_its_app_takes_the_log_along(
    root: Client, hook: WebhookEndpoint, world: World, partner: Partner, what: str
) -> None:
    told(hook, world)
    row: Any = hook if what == "webhook" else world.partner
    if what == "app":
        ApiKey.objects.all().delete()
        ApiCall.objects.all().delete()
    assert root.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 302
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_deleting_an_address_ends_its_incident(root: Client, hook: WebhookEndpoint) -> None:
    lane = WebhookLane.objects.create(endpoint=hook)
    switching.switch_off(lane, switching.OffReason.GONE, timezone.now(), 410)
    assert root.post(page_of(hook).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 302
    assert Incident.objects.get(kind=IncidentKind.WEBHOOK_OFF).closed_at is not None


def test_an_empty_log_says_what_to_do_first(root: Client) -> None:
    assert "Add a webhook to a partner app" in root.get(list_of(WebhookDelivery)).content.decode()
