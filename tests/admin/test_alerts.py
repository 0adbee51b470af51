"""Incidents as staff see them, and the targets that administrators keep."""

from collections.abc import Iterator

import pytest
from django.test import Client

from integrations.alerts.incidents import close_incident, raise_incident
from integrations.alerts.notices import send_due
from integrations.models import AlertTarget, Incident, Notice
from integrations.models.alerts import IncidentKind, NoticeEvent
from tests.admin.conftest import SECRETS, World
from tests.admin.pages import act, add_of, list_of, page_of
from tests.alerts.receivers import Web, web_server

TARGET = {"name": "值班群", "address": "", "merchants": [], "least_severity": 1, "active": "on"}


@pytest.fixture
def web() -> Iterator[Web]:
    """Where notices arrive."""
    with web_server() as server:
        yield server


def test_staff_see_the_incidents_of_their_merchants_and_of_their_accounts(
    lili: Client, root: Client, world: World
) -> None:
    def shown(client: Client) -> set[int]:
        return {incident.pk for incident in client.get(list_of(Incident)).context["cl"].result_list}

    own = {world.own_incident.pk, world.account_incident.pk}
    assert (shown(lili), shown(root)) == (own, own | {world.other_incident.pk})
    assert lili.get(page_of(world.other_incident)).status_code == 302
    assert "别家餐厅" not in lili.get(page_of(world.account_incident)).content.decode()
    assert "Go there" not in lili.get(page_of(world.account_incident)).content.decode(), "the account is not theirs"
    assert "Go there" in root.get(page_of(world.account_incident)).content.decode()
    assert "别家餐厅" in root.get(page_of(world.account_incident)).content.decode()


def test_open_ones_stand_first_and_can_be_shown_alone(root: Client, world: World) -> None:
    close_incident(IncidentKind.ACCOUNT_STOPPED, account=world.account)
    shown = list(root.get(list_of(Incident)).context["cl"].result_list)
    assert shown == [world.other_incident, world.own_incident, world.account_incident]
    assert list(root.get(f"{list_of(Incident)}?open=yes").context["cl"].result_list) == shown[:2]
    assert list(root.get(f"{list_of(Incident)}?open=no").context["cl"].result_list) == shown[2:]


def test_an_incident_says_what_to_do_and_leads_there(lili: Client, world: World) -> None:
    html = lili.get(page_of(world.own_incident)).content.decode()
    assert "not tried again by themselves: 1." in html
    assert "retry them, or give them up" in html
    rows = lili.get(f"/admin/integrations/outboxrow/?state__exact=dead&merchant__id__exact={world.own.pk}")
    assert f"state__exact=dead&amp;merchant__id__exact={world.own.pk}" in html
    assert list(rows.context["cl"].result_list) == [world.dead]


def test_nobody_writes_incidents_by_hand(root: Client, world: World) -> None:
    assert root.get(add_of(Incident)).status_code == 403
    assert root.post(page_of(world.own_incident), {"times": 9}).status_code == 403


def test_who_was_told_is_for_administrators(root: Client, lili: Client, world: World) -> None:
    assert "值班群" in root.get(page_of(world.own_incident)).content.decode()
    assert "值班群" not in lili.get(page_of(world.own_incident)).content.decode()
    assert lili.get(list_of(AlertTarget)).status_code == 403
    assert lili.get(list_of(Notice)).status_code == 403


def test_the_first_page_and_the_sidebar_say_what_is_open(lili: Client, world: World) -> None:
    response = lili.get("/admin/")
    assert [incident["about"] for incident in response.context["incidents"]["shown"]] == [world.own]
    assert "Something is the matter" in response.content.decode()
    groups = response.context["sidebar_navigation"]
    assert {str(i["title"]): i.get("badge") for group in groups for i in group["items"]}["Incidents"] == "2"
    close_incident(IncidentKind.DEAD_LETTERS, merchant=world.own)
    assert "Something is the matter" not in lili.get("/admin/").content.decode()


def test_very_many_are_a_few_and_a_link(root: Client, world: World) -> None:
    for number in range(9):
        raise_incident(IncidentKind.WEBHOOK_OFF, merchant=world.own, subject=f"webhook:{number}")
    shown = root.get("/admin/").context["incidents"]
    assert (len(shown["shown"]), shown["more"]) == (5, f"{list_of(Incident)}?open=yes")


def test_an_address_is_kept_when_it_is_left_empty_and_never_shown(root: Client, world: World) -> None:
    assert root.post(page_of(world.alert_target), {**TARGET, "least_severity": 2}).status_code == 302
    target = AlertTarget.objects.get()
    assert (target.address, target.least_severity) == (f"wecombot://{SECRETS['alert']}", 2)
    html = root.get(page_of(target)).content.decode() + root.get(list_of(AlertTarget)).content.decode()
    assert "WeCom Bot" in html
    assert SECRETS["alert"] not in html


def test_an_address_that_leads_nowhere_is_refused(root: Client, world: World) -> None:
    response = root.post(add_of(AlertTarget), {**TARGET, "name": "new", "address": "nosuch://secret-of-mine"})
    assert "No service is known" in str(response.context["adminform"].form.errors["address"])
    assert "secret-of-mine" not in response.content.decode()


def test_a_new_target_needs_an_address(root: Client, world: World) -> None:
    response = root.post(add_of(AlertTarget), {**TARGET, "name": "new"})
    assert "address" in response.context["adminform"].form.errors


def test_the_test_says_that_it_was_taken(root: Client, world: World, web: Web) -> None:
    AlertTarget.objects.update(address=AlertTarget(address=web.address).address)
    words = act(root, world.alert_target, "test")
    assert words == ["JSON has taken the test: Sent JSON POST notification. Look whether it arrived."]
    assert len(web.bodies) == 1


def test_the_test_says_what_was_refused(root: Client, world: World, web: Web) -> None:
    web.answers = [(403, {})]
    AlertTarget.objects.update(address=AlertTarget(address=web.address).address)
    words = act(root, world.alert_target, "test")[0]
    assert words.startswith("The test was not taken: ")
    assert "403" in words


def test_the_list_of_targets_shows_what_came_of_the_last_notice(root: Client, world: World, web: Web) -> None:
    web.answers = [(403, {})]
    AlertTarget.objects.update(address=AlertTarget(address=web.address).address)
    send_due()
    assert Notice.objects.filter(tries=1, event=NoticeEvent.OPENED).count() == 1
    html = root.get(page_of(world.alert_target)).content.decode()
    assert "403" in html
