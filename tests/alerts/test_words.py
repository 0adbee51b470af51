"""A notice says what has happened, to whom, since when, what to do, and where."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from integrations.alerts.incidents import raise_incident
from integrations.alerts.kinds import KINDS, happened, what_to_do
from integrations.alerts.words import Message, message_of
from integrations.models import Incident, Notice
from integrations.models.alerts import IncidentKind
from merchants.models import Merchant
from tests.factories import DfireAccountFactory, MerchantFactory

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # 00:30 of the 23rd in Shanghai
FIGURES = {
    "count": 12, "minutes": 10, "code": "25", "message": "无效签名", "method": "", "clock_seconds": None,
    "url": "https://partner.example/hook", "app": "小程序", "status": "410", "platform": "maxfun",
}  # fmt: skip


@pytest.fixture
def english(settings: Any) -> None:
    """The portal's language is English."""
    settings.LANGUAGE_CODE = "en"
    settings.PORTAL_URL = "https://coupons.example.com"


def incident(kind: str, merchant: Merchant) -> Incident:
    by_account = kind == IncidentKind.ACCOUNT_STOPPED
    made = raise_incident(
        IncidentKind(kind), figures=FIGURES, page="/admin/integrations/outboxrow/",
        **({"account": merchant.dfire_account} if by_account else {"merchant": merchant}),
    )  # fmt: skip
    Incident.objects.filter(pk=made.pk).update(opened_at=BEGAN)
    made.refresh_from_db()
    return made


def message(about: Incident, event: str = "opened") -> Message:
    return message_of(Notice(incident=about, event=event))


@pytest.fixture
def merchant() -> Merchant:
    """Its account is called main."""
    made: Merchant = MerchantFactory(name="自家火锅", merchant_id="88", dfire_account=DfireAccountFactory(name="main"))
    return made


@pytest.mark.parametrize("kind", IncidentKind.values)
def test_every_kind_says_it_all_and_leads_to_a_page(
    kind: str, merchant: Merchant, english: None, admin_client: Client
) -> None:
    said = message(incident(kind, merchant))
    assert "\n" not in said.title
    assert "自家火锅 (88)" in said.text
    assert "Since: 2026-11-23 00:30" in said.text
    assert "What to do: " in said.text
    assert "?" not in said.text.replace("/?", "")
    link = said.text.splitlines()[-1]
    assert link.startswith("https://coupons.example.com/admin/")
    response = admin_client.get(link.removeprefix("https://coupons.example.com"))
    assert response.status_code == 200, "a query that the list does not know would lead elsewhere"


def test_a_stopped_account(merchant: Merchant, english: None) -> None:
    said = message(incident(IncidentKind.ACCOUNT_STOPPED, merchant))
    assert said.title == "[critical] dfire account stopped: main"
    assert "dfire refuses this account (25 无效签名)" in said.text
    assert "enter the app secret again" in said.text
    assert f"/admin/merchants/dfireaccount/{merchant.dfire_account_id}/change/" in said.text


def test_failed_messages_lead_to_the_rows_of_that_merchant(merchant: Merchant, english: None) -> None:
    said = message(incident(IncidentKind.DEAD_LETTERS, merchant))
    assert "not tried again by themselves: 12." in said.text
    assert f"outboxrow/?state__exact=dead&merchant__id__exact={merchant.pk}" in said.text


def test_the_end(merchant: Merchant, english: None) -> None:
    over = incident(IncidentKind.DEAD_LETTERS, merchant)
    over.closed_at = BEGAN + timedelta(minutes=21)
    said = message(over, "closed")
    assert said.title == "[over] messages to dfire failed: 自家火锅 (88)"
    assert "over since 2026-11-23 00:51. It began at 2026-11-23 00:30, 21 minutes before." in said.text


def test_without_an_address_of_the_portal_the_link_is_its_path(merchant: Merchant, settings: Any) -> None:
    settings.PORTAL_URL = ""
    assert message(incident(IncidentKind.DEAD_LETTERS, merchant)).text.splitlines()[-1].startswith("/admin/")


def test_notices_speak_the_portals_language_whatever_the_workers(merchant: Merchant, english: None) -> None:
    about = incident(IncidentKind.DEAD_LETTERS, merchant)
    with translation.override("zh-hans"):
        assert message(about).title.startswith("[warning]")


def test_missing_figures_are_no_reason_to_say_nothing(merchant: Merchant) -> None:
    for kind in KINDS:
        assert happened(Incident(kind=kind, figures={}))
        assert what_to_do(Incident(kind=kind, figures={}))
