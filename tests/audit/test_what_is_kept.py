"""What an entry holds for good is in one language and of no customer; what it shows, the reader may know."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.text import capfirst

from coupons import batches
from coupons.admin.approving import note_asked
from coupons.approvals import asking
from coupons.models import Approval, Batch
from integrations.models import OutboxRow
from merchants.admin.noting import english
from merchants.admin.trail import AuditEntryAdmin
from merchants.admin.trail_words import name_words, what_words
from merchants.audit.recording import record
from merchants.models import AuditEntry
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, page_of, trail_of
from tests.audit.conftest import entries, last
from tests.factories import published

LIST = "/admin/merchants/auditentry/"
FILE = f"{MOBILE} 王小明.xlsx"


def test_a_file_named_after_a_customer_keeps_no_mobile_number(staff: User, world: World) -> None:
    batch = batches.begin_issue(world.template, "somebody", name=FILE, by=staff)
    batches.work_all()
    batch.refresh_from_db()
    assert batch.name == "*** 王小明.xlsx"
    Batch.objects.filter(pk=batch.pk).update(name=FILE)  # one that was begun before names were looked at
    batch.refresh_from_db()
    request = asking.ask_to_issue(batch, by=staff, reason="x")
    assert request.subject.endswith(" · *** 王小明.xlsx")
    told = [*entries(batch), *entries(request)]
    assert [entry.object_name for entry in told[:2]] == ["*** 王小明.xlsx"] * 2
    assert MOBILE not in "".join(f"{entry.object_name}{entry.changes}" for entry in told)
    raw = Approval(
        act=request.act, merchant=request.merchant, subject=FILE, requested_by=staff, expires_at=request.expires_at
    )
    raw.save()
    assert MOBILE not in f"{last(raw).object_name}{last(raw).changes}"


def test_names_and_words_are_kept_in_one_language(browser: Any, administrator: User, world: World) -> None:
    with translation.override("zh-hans"):
        assert str(world.dead) != f"deliver a coupon #{world.dead.pk}"
        entry = record(world.dead, "x")
        assert entry.object_name == f"deliver a coupon #{world.dead.pk}"
        assert name_words(entry) == str(world.dead)
    browser(administrator, "zh-hans").get("/admin/integrations/outboxrow/export-csv/").getvalue()
    told = AuditEntry.objects.filter(kind="integrations.outboxrow", object_id="")
    with translation.override("zh-hans"):
        assert {name_words(entry) for entry in told} == {capfirst(OutboxRow._meta.verbose_name_plural)}
    assert {entry.object_name for entry in told} == {english(OutboxRow._meta.verbose_name_plural)}


def test_what_was_asked_for_is_told_in_the_reader_s_language(rf: RequestFactory, staff: User, world: World) -> None:
    batch = batches.begin_issue(world.template, "somebody", name="x", by=staff)
    batches.work_all()
    batch.refresh_from_db()
    request = rf.post("/")
    request.user = staff  # type: ignore[assignment]
    with translation.override("zh-hans"):
        asked = asking.ask_to_issue(batch, by=staff, reason="y")
        note_asked(request, asked)
    assert {entry.object_name for entry in entries(asked)} == {"满50减10 · x"}
    assert last(world.template).act == "Asked for approval: %(request)s."
    with translation.override("zh-hans"):
        assert what_words(last(world.template)) == f"提交审批：{asked}。"
    with translation.override("en"):
        assert what_words(last(world.template)) == f"Asked for approval: {asked}."


def test_a_coupon_s_code_is_not_in_the_trail(lili: Client, world: World) -> None:
    entry = world.open_callback
    act(lili, entry, "apply", code=world.coupon.code, reason="wrong digit")
    assert trail_of(entry) == [("lili", f"Applied to coupon #{world.coupon.pk}. wrong digit")]
    kept = "".join(f"{one.object_name}{one.changes}" for one in AuditEntry.objects.filter(action="acted"))
    assert world.coupon.code not in kept
    assert entry.code not in kept
    assert last(entry).object_name == f"#{entry.pk}"


def test_a_merchant_that_the_reader_does_not_see_is_not_named(
    browser: Any, member: Any, root: Client, world: World
) -> None:
    world.smart.merchants.add(world.other)
    world.smart.merchants.remove(world.other)
    reader = member("Marketing")
    reader.user_permissions.add(Permission.objects.get(codename="manage_accounts"))
    about = f"{LIST}?kind=merchants.smartcouponaccount"
    html = browser(reader).get(about).content.decode()
    assert "自家火锅" in html
    assert "别家餐厅" not in html
    assert "another merchant" in html
    history = page_of(world.smart).replace("/change/", "/history/")
    assert "别家餐厅" not in browser(reader).get(history).content.decode()
    assert "别家餐厅" in root.get(about).content.decode()


def test_the_file_takes_no_query_more_for_more_entries(
    root: Client, world: World, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AuditEntryAdmin, "list_per_page", 2)  # the names of a page are read for the list
    for number in range(30):
        published(merchant=world.own, title=f"券{number}")
    with django_assert_max_num_queries(25):
        text = root.get(f"{LIST}export-csv/?kind=coupons.templateversion").getvalue().decode()
    assert "券29" in text
