"""Staff see of the trail what concerns their merchants; requests, acts and exports stand in it with who and where."""

import re
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory

from config.acting import requests_say_who_acts
from config.celery import app
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import ApiKey
from integrations.partner_api import keys
from merchants import erasing
from merchants.audit.recording import record
from merchants.audit.who import Who, acting, command, current
from merchants.models import AuditEntry, Merchant, MerchantScope
from tests.admin.conftest import World
from tests.admin.pages import act, list_of, page_of, trail_of
from tests.audit.conftest import entries, last
from tests.factories import CustomerFactory, MerchantFactory, SmartCouponAccountFactory
from tests.hooks.helpers import address_of, create_push, post

LIST = "/admin/merchants/auditentry/"


def history_of(row: Any) -> str:
    """The address of a row's history."""
    return page_of(row).replace("/change/", "/history/")


def test_a_form_s_change_is_told_with_who_where_and_how(lili: Client, staff: User, world: World) -> None:
    page = page_of(world.own)
    form = lili.get(page).context["adminform"].form
    data = {name: form.initial.get(name) or "" for name in form.fields} | {"name": "新火锅"}
    shops = list(world.own.shops.all())
    formset = {
        "shops-TOTAL_FORMS": len(shops), "shops-INITIAL_FORMS": len(shops), "shops-0-id": shops[0].pk,
        "shops-0-merchant": world.own.pk, "shops-0-name": "西湖店", "shops-0-entity_id": "10000001",
    }  # fmt: skip
    sent = {"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6", "HTTP_X_REQUEST_ID": "not-believed"}
    response = lili.post(page, data | formset, **sent)
    assert response.status_code == 302, response.context["errors"]
    entry = last(world.own)
    assert entry.changes == {"name": ["自家火锅", "新火锅"]}
    assert (entry.actor, entry.actor_id, entry.address) == ("lili", staff.pk, "2001:db8:1:2::")
    assert entry.via == f"POST {page}"
    assert entry.request_id == response["X-Request-ID"] != "not-believed"
    assert [one.action for one in entries(world.own)] == ["added", "changed"], "a form that is saved needs no note"


def test_what_a_push_makes_is_told_as_the_platform_s_without_its_token(db: None) -> None:
    account = SmartCouponAccountFactory(name="平台", token="t" * 32)
    account.merchants.add(MerchantFactory(merchant_id="88"))
    made = post(address_of(account), create_push()).json()["result"]["coupon_id"]
    entry = entries(CouponTemplate.objects.get(coupon_id=made))[0]
    assert (entry.actor, entry.actor_id, entry.address) == ("push:平台", None, "127.0.0.1")
    assert entry.via == "POST /hooks/smart-coupon/<str:token>/coupon/"


def test_a_request_s_name_ends_with_it_even_where_it_breaks(rf: RequestFactory, db: None) -> None:
    def breaks(request: Any) -> Any:
        raise RuntimeError

    request = rf.post("/admin/")
    request._cached_user = request.user = User.objects.create_user("lili")  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError):
        requests_say_who_acts(breaks)(request)
    assert current().actor == "portal"
    assert command("prune").actor == "command:prune"
    assert "@" in command("prune").address


def test_a_task_acts_in_its_own_name_and_gives_the_one_before_back(db: None) -> None:
    seen: list[str] = []

    @app.task
    def look() -> None:
        seen.append(current().via)

    with acting(lambda: Who("lili")):
        look.apply()
        assert current().actor == "lili"
    assert seen == ["task look"]
    assert current().via == ""


def test_nothing_is_looked_up_for_a_request_that_writes_nothing_watched(
    rf: RequestFactory, db: None, django_assert_num_queries: Any, world: World
) -> None:
    request = rf.post("/hooks/x")
    request.COOKIES[configured.SESSION_COOKIE_NAME] = "whatever"

    def answer(_request: Any) -> Any:
        return CustomerFactory(merchant=world.own)

    with django_assert_num_queries(1):
        requests_say_who_acts(answer)(request)


def test_members_see_their_merchants_entries_and_no_others(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(title="自家改了")
    CouponTemplate.objects.filter(pk=world.other_template.pk).update(title="别家改了")
    html = lili.get(LIST).content.decode()
    assert "自家改了" in html
    assert "别家" not in html
    assert lili.get(f"{LIST}{last(world.other_template).pk}/change/").status_code == 302
    shown = lili.get(f"{LIST}{last(world.template).pk}/change/").content.decode()
    assert "满50减10" in shown
    assert lili.get(history_of(world.other_template)).status_code == 302


@pytest.mark.parametrize(("role", "sees_staff"), [("Marketing", False), ("Operations", False), ("Auditor", True)])
def test_what_concerns_staff_is_for_auditors_and_administrators(
    member: Any, browser: Any, root: Client, world: World, role: str, sees_staff: bool
) -> None:
    wang = User.objects.create_user("wang", is_staff=True)
    MerchantScope.objects.create(user=wang).merchants.add(world.own, world.other)
    wang.groups.set(Group.objects.filter(name="Auditor"))
    mine = browser(member(role)).get(LIST, {"kind": "auth.user"}).content.decode()
    assert ("wang" in mine) is sees_staff
    assert "别家餐厅" not in mine, "a scope names no merchant that the reader does not see"
    assert "别家餐厅" in root.get(LIST, {"kind": "auth.user"}).content.decode()
    assert (
        "platform"
        not in browser(member(role, "b")).get(LIST, {"kind": "merchants.smartcouponaccount"}).content.decode()
    )


def test_without_the_right_there_is_no_trail(browser: Any, db: None) -> None:
    nobody = browser(User.objects.create_user("nobody", is_staff=True))
    assert nobody.get(LIST).status_code == 403


def test_filters_and_search_find_entries(root: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(title="圣诞券", amount_fen=1234)
    record(world.dead, "Queued again.")
    for asked, found in (
        ({"q": "圣诞"}, 1), ({"q": str(world.template.pk), "kind": "coupons.coupontemplate"}, 3),
        ({"actor": "nobody"}, 0), ({"action": "acted"}, 1), ({"kind": "integrations.outboxrow"}, 1),
        ({"at_from": "2000-01-01", "at_to": "2000-01-02"}, 0),
    ):  # fmt: skip
        rows = root.get(LIST, asked).context["cl"].result_list
        assert len(rows) == found, asked


def test_an_entry_speaks_the_reader_s_language(browser: Any, administrator: User, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(
        amount_fen=1234, use_weekdays=[1, 2], shop_entity_ids=["10000001"], status="paused"
    )
    told = last(world.template)
    shown = browser(administrator, "en").get(f"{LIST}{told.pk}/change/").content.decode()
    for words in ("¥12.34", "¥10", "西湖店", "paused", "published", "Amount", "Mon"):
        assert words in shown, words
    chinese = browser(administrator, "zh-hans").get(f"{LIST}{told.pk}/change/").content.decode()
    assert not re.search(rf"\b{TemplateStatus.PUBLISHED}\b", chinese), "as a word: an icon's name begins with it"
    record(world.dead, "Queued again.")
    assert "Queued again." in browser(administrator, "en").get(history_of(world.dead)).content.decode()
    assert "Queued again." not in browser(administrator, "zh-hans").get(history_of(world.dead)).content.decode()


def test_the_history_of_an_object_tells_who_when_from_where_and_what(root: Client, world: World) -> None:
    act(root, world.smart, "rotate", hours="1")
    html = root.get(history_of(world.smart)).content.decode()
    assert "Made new push addresses." in html
    assert "secrets are not kept" in html
    assert "127.0.0.1" in html
    assert world.smart.token not in html


def test_a_key_that_is_made_and_ended_is_told_without_what_opens(root: Client, world: World) -> None:
    made, text = keys.make(world.partner, label="till", expires_at=None, allowed_addresses=[])
    act(root, ApiKey.objects.get(pk=made.pk), "end-now")
    said = " ".join(str(entry.changes) for entry in entries(made))
    assert "till" in said
    assert text not in said
    assert made.key_hash not in said
    assert last(made).changes["expires_at"][1]
    assert trail_of(world.partner)[-1][1].startswith("Key ")


def test_the_trail_is_taken_away_as_a_file_by_those_who_may(
    root: Client, browser: Any, member: Any, world: World
) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(amount_fen=1234)
    asked = f"{LIST}export-csv/?kind=coupons.coupontemplate&action=changed"
    text = b"".join(root.get(asked).streaming_content).decode()
    assert "¥10 → ¥12.34" in text
    assert trail_of(AuditEntry)[-1][1].startswith("Exported as CSV. Rows: ")
    assert browser(member("Marketing")).get(asked).status_code == 403
    mine = b"".join(browser(member("Auditor")).get(f"{LIST}export-csv/").streaming_content).decode()
    assert "别家" not in mine


def test_an_erasure_is_told_by_the_customer_s_id_alone(world: World) -> None:
    customer = CustomerFactory(merchant=world.own, identifier="member-4711", mobile="13811112222")
    erasing.ask(customer, reason="member-4711, who is 13811112222, wrote", asked_by="staff:lili")
    entry = last(customer)
    assert (entry.act, entry.reason, entry.object_name) == ("Erased a customer.", "***, who is ***, wrote", "")
    with_names = AuditEntry.objects.filter(reason__contains="4711") | AuditEntry.objects.filter(reason__contains="1381")
    assert not with_names.exists()


def test_an_act_says_why_without_the_customer_s_names(world: World) -> None:
    holder = world.coupon.customer
    entry = record(world.coupon, "x", reason=f"{holder.openid} called from {holder.mobile}")
    assert entry.reason == "*** called from ***"
    assert entry.merchant_id == world.own.pk


def test_entries_outlive_their_merchant(root: Client, db: None) -> None:
    merchant = Merchant.objects.create(merchant_id="gone", name="关了")
    Merchant.objects.filter(pk=merchant.pk).delete()
    html = root.get(LIST, {"kind": "merchants.merchant"}).content.decode()
    assert "关了" in html
    assert root.get(f"{LIST}{last(merchant).pk}/change/").status_code == 200


def test_the_list_takes_no_query_more_for_more_entries(
    root: Client, world: World, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        Merchant.objects.filter(pk=world.own.pk).update(dfire_account=None if number % 2 else world.account)
    with django_assert_max_num_queries(25):
        assert root.get(list_of(AuditEntry)).status_code == 200
