"""Every list can be taken away: what it shows now, all of it, and no more than its user may see."""

import csv
import io
import tracemalloc
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client
from django.utils.http import urlencode
from openpyxl import load_workbook

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from merchants.admin.export_slots import written_in_turn
from merchants.models import AuditEntry, Customer
from tests.admin.conftest import MOBILE, SECRETS, World
from tests.admin.pages import list_of, said, trail_of
from tests.factories import CustomerFactory, issued, published

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def file_of(model: Any, form: str, **query: str) -> str:
    """The address of a list's export."""
    return f"{list_of(model)}export-{form}/?{urlencode(query)}"


def rows_in(response: Any) -> list[dict[str, str]]:
    """The rows of a CSV."""
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def test_every_list_has_an_export_with_a_heading_and_its_rows(root: Client, world: World) -> None:
    for model in [model for model in MODELS if model is not AuditEntry]:  # it grows by each export
        html = root.get(list_of(model)).content.decode()
        for form in ("xlsx", "csv"):
            assert f"{list_of(model)}export-{form}/" in html, model
        found = rows_in(root.get(file_of(model, "csv")))
        assert len(found) == model._default_manager.count(), model
        text = str(found)
        assert "<span" not in text, model
        assert "&amp;" not in text, model
        assert not [secret for secret in SECRETS.values() if secret in text], model
        sheet = load_workbook(io.BytesIO(root.get(file_of(model, "xlsx")).getvalue())).worksheets[0]
        assert sheet.max_row == len(found) + 1, model


def test_only_what_the_list_shows_is_exported_in_its_order(root: Client, world: World) -> None:
    for _one in range(3):
        issued(world.template)
    everything = [row["Code"] for row in rows_in(root.get(file_of(IssuedCoupon, "csv")))]
    assert everything == [coupon.code for coupon in IssuedCoupon.objects.order_by("-id")]
    failed = rows_in(root.get(file_of(IssuedCoupon, "csv", delivery__exact="failed")))
    assert [row["Code"] for row in failed] == [world.failed.code]
    of_own = file_of(IssuedCoupon, "csv", template__id__exact=str(world.template.pk), p="7")
    assert len(rows_in(root.get(of_own))) == 5
    most_issued_first = rows_in(root.get(file_of(CouponTemplate, "csv", o="-6")))
    assert [row["Title"] for row in most_issued_first[:2]] == [world.template.title, world.other_template.title]
    assert [row["Delivery"] for row in rows_in(root.get(of_own))] == [*["queued"] * 3, "failed", "queued"]
    assert [row["Code"] for row in rows_in(root.get(file_of(IssuedCoupon, "csv", q=world.coupon.code)))] == [
        world.coupon.code
    ]
    assert rows_in(root.get(file_of(IssuedCoupon, "csv", q="0000000000000000"))) == []


def test_the_menu_leads_to_what_the_list_shows_now(root: Client, world: World) -> None:
    html = root.get(f"{list_of(IssuedCoupon)}?status__exact=issued&q=13912345678&o=-5").content.decode()
    assert f"{list_of(IssuedCoupon)}export-csv/?status__exact=issued&amp;q=13912345678&amp;o=-5" in html
    assert f'{list_of(IssuedCoupon)}export-csv/"' in root.get(list_of(IssuedCoupon)).content.decode()


def test_all_pages_are_exported_each_row_once(root: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("merchants.admin.exporting._PAGE", 2)
    CustomerFactory.create_batch(107, merchant=world.own)
    found = [row["Identifier"] for row in rows_in(root.get(file_of(Customer, "csv", o="1")))]
    assert len(found) == len(set(found)) == Customer.objects.count() > 100


def test_another_merchants_rows_are_in_no_file(lili: Client, world: World) -> None:
    for model in MODELS:
        for form in ("csv", "xlsx"):
            response = lili.get(file_of(model, form))
            if response.status_code == 403:
                continue
            content = response.getvalue()
            if form == "xlsx":
                sheet = load_workbook(io.BytesIO(content)).worksheets[0]
                content = str([[cell.value for cell in row] for row in sheet]).encode()
            for foreign in ("别家餐厅", "别家的券", "别家店", world.other_coupon.code):
                assert foreign not in content.decode("utf-8-sig"), model


def test_few_files_are_written_at_once(root: Client, world: World) -> None:
    address = file_of(IssuedCoupon, "csv", status__exact="issued")
    first, second = root.get(address), root.get("/admin/settlement/", {"format": "csv"})
    for asked in (address, "/admin/settlement/?by=day&format=csv"):
        third = root.get(asked)
        assert third.status_code == 302
        assert third.url.split("?")[0] in (list_of(IssuedCoupon), "/admin/settlement/")
        assert said(third)[-1] == "Another export is being written. Try again in a moment."
    request_finished.disconnect(close_old_connections)
    first.close()  # before its first piece was asked for
    first.close()
    request_finished.connect(close_old_connections)
    assert len(rows_in(root.get(address))) == 3
    with pytest.raises(ZeroDivisionError):
        written_in_turn(first.wsgi_request, "/", lambda: HttpResponse(1 // 0))
    assert len(rows_in(root.get(address))) == 3
    assert second.getvalue()


def test_a_filter_by_another_merchant_finds_nothing(lili: Client, world: World) -> None:
    asked = file_of(IssuedCoupon, "csv", template__id__exact=str(world.other_template.pk))
    assert rows_in(lili.get(asked)) == []


def test_who_may_not_see_a_list_may_not_take_it_away(browser: Any, world: World) -> None:
    nobody = browser(User.objects.create_user("nobody", is_staff=True))
    for model in MODELS:
        for form in ("csv", "xlsx"):
            assert nobody.get(file_of(model, form)).status_code == 403
    assert Client().get(file_of(IssuedCoupon, "csv")).status_code == 302
    assert not AuditEntry.objects.filter(act__startswith="Export").exists()


@pytest.mark.parametrize("model", [IssuedCoupon, Customer])
def test_mobiles_are_masked_but_for_those_who_may_see_them(lili: Client, staff: User, world: World, model: Any) -> None:
    masked = rows_in(lili.get(file_of(model, "csv")))
    assert MOBILE not in str(masked)
    assert "139****5678" in [row["Mobile"] for row in masked]
    staff.user_permissions.add(Permission.objects.get(codename="view_full_mobile"))
    assert MOBILE in [row["Mobile"] for row in rows_in(lili.get(file_of(model, "csv")))]


def test_no_file_of_any_list_tells_a_masked_mobile(lili: Client, world: World) -> None:
    for model in MODELS:
        response = lili.get(file_of(model, "csv"))
        if response.status_code == 200:
            assert MOBILE.encode() not in response.getvalue(), model


def test_money_and_instants_are_such_in_xlsx(root: Client, world: World) -> None:
    IssuedCoupon.objects.filter(pk=world.coupon.pk).update(saved_fen=990)
    content = root.get(file_of(IssuedCoupon, "xlsx", q=world.coupon.code)).getvalue()
    heads, values = load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
    row = dict(zip(heads, values, strict=True))
    assert row["Code"] == world.coupon.code
    assert (row["Saved (yuan)"], row["Paid (yuan)"], row["Cost (yuan)"]) == (9.9, None, 10)
    assert row["Issued at"].date() == world.template.start_date


def test_what_customers_are_called_runs_in_no_spreadsheet(root: Client, world: World) -> None:
    CustomerFactory(merchant=world.own, identifier="=cmd|' /C calc'!A0", mobile="")
    row = rows_in(root.get(file_of(Customer, "csv")))[0]
    assert row["Identifier"] == "'=cmd|' /C calc'!A0"


def test_files_speak_the_users_language_and_carry_a_chinese_name(browser: Any, administrator: User) -> None:
    response = browser(administrator, "zh-hans").get(file_of(Customer, "csv"))
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%E9%A1%BE%E5%AE%A2")
    assert "商户" in response.getvalue().decode()


def test_every_export_is_noted_without_what_was_searched_for(lili: Client, staff: User, world: World) -> None:
    rows_in(lili.get(file_of(IssuedCoupon, "csv", status__exact="issued", q=MOBILE)))
    filters = "Filter: status__exact=issued&q=***"
    assert trail_of(IssuedCoupon) == [
        (staff.username, f"Export as CSV begun. {filters}"), (staff.username, f"Exported as CSV. Rows: 1. {filters}"),
    ]  # fmt: skip


def test_an_export_that_breaks_off_is_noted_and_does_not_look_whole(
    root: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merchants.admin.exporting._PAGE", 1)

    def fails(self: Any, request: Any, rows: list[Any]) -> None:
        if rows[0].pk == world.coupon.pk:
            raise RuntimeError("the database went away")

    monkeypatch.setattr(type(admin.site._registry[IssuedCoupon]), "prepare_rows", fails)
    pieces = iter(root.get(file_of(IssuedCoupon, "csv")).streaming_content)
    assert "BROKE OFF HERE" in next(pieces).decode().splitlines()[-1]
    with pytest.raises(RuntimeError):
        next(pieces)
    assert trail_of(IssuedCoupon)[-1] == ("root", "Export as CSV broke off after 2 rows. Filter: none")


def test_whoever_stops_reading_is_noted_too(root: Client, world: World) -> None:
    response = root.get(file_of(IssuedCoupon, "csv"))
    next(iter(response.streaming_content))
    for close in response._resource_closers:  # what a server's close() does, but for the test's connection
        close()
    assert trail_of(IssuedCoupon)[-1][1].startswith("Export as CSV broke off after 3 rows")


def test_xlsx_of_too_many_rows_is_refused_in_words(root: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("merchants.admin.exporting.MOST_XLSX_ROWS", 2)
    response = root.get(file_of(IssuedCoupon, "xlsx", o="5"))
    assert response["Location"] == f"{list_of(IssuedCoupon)}?o=5"
    assert said(response)[0].startswith("An XLSX file holds at most")
    assert root.get(file_of(IssuedCoupon, "xlsx", delivery__exact="failed")).getvalue().startswith(b"PK")


def test_a_filter_that_nobody_knows_leads_back_to_the_list(root: Client, world: World) -> None:
    response = root.get(file_of(IssuedCoupon, "csv", nonsense="1"))
    assert response["Location"] == f"{list_of(IssuedCoupon)}?e=1"


def test_queries_grow_with_the_pages_and_not_with_the_rows(
    root: Client, world: World, django_assert_max_num_queries: Any
) -> None:
    for _one in range(40):
        issued(world.template)
    published(merchant=world.own)
    for model in (IssuedCoupon, CouponTemplate, Customer, OutboxRow):
        with django_assert_max_num_queries(16):
            rows_in(root.get(file_of(model, "csv")))


def test_memory_does_not_grow_with_the_list(root: Client, world: World) -> None:
    def peak(count: int) -> int:
        have = Customer.objects.count()
        new = [Customer(merchant=world.own, identifier=f"m-{number}") for number in range(have, count)]
        Customer.objects.bulk_create(new)
        del new
        tracemalloc.start()
        rows = sum(piece.count(b"\n") for piece in root.get(file_of(Customer, "csv")).streaming_content) - 1
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert rows == count
        return most

    peak(100)  # what is imported and compiled once
    few = peak(3_000)
    assert peak(15_000) < 1.2 * few
