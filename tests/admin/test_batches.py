"""Issuing to many and recalling, as staff see it: a file, a check, a yes, a bar, and the rows that were turned down."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from coupons import batches
from coupons.choices import BatchState
from coupons.models import Batch, CouponTemplate, IssuedCoupon
from tests.admin.conftest import World
from tests.admin.pages import act, action_of, list_of, page_of


def upload(client: Client, template: CouponTemplate, **fields: Any) -> Any:
    return client.post(action_of(template, "issue-many"), fields)


def sent(client: Client, template: CouponTemplate, text: str, **fields: Any) -> Batch:
    response = upload(client, template, text=text, **fields)
    assert response.status_code == 302, response.content.decode()
    batch = Batch.objects.latest("pk")
    batches.work_all()
    batch.refresh_from_db()
    return batch


def page(client: Client, row: Any) -> str:
    return client.get(page_of(row)).content.decode()


def test_a_file_is_checked_started_and_worked(lili: Client, world: World) -> None:
    csv_file = SimpleUploadedFile("中秋.csv", "手机号\n13800138000\n1380013800\n13900139000\n".encode())
    assert upload(lili, world.template, file=csv_file).status_code == 302
    batch = Batch.objects.get()
    assert (batch.name, batch.state, batch.created_by.get_username()) == ("中秋.csv", BatchState.CHECKING, "lili")
    batches.work_all()
    html = page(lili, batch)
    assert "2 customers would get a coupon" in html
    assert "¥20" in html  # at most
    assert "98" in html  # of the stock of 100
    dialog = lili.get(action_of(batch, "start")).content.decode()
    assert "<strong>2</strong>" in dialog
    assert "¥20" in dialog
    assert act(lili, batch, "start") == ["Started."]
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.done) == (BatchState.DONE, 2)
    assert "2 / 2" in page(lili, batch)


def test_the_bar_asks_again_while_it_works_and_for_the_page_when_it_does_not(lili: Client, world: World) -> None:
    upload(lili, world.template, text="a\nb")
    batch = Batch.objects.get()
    asked = lili.get(page_of(batch), headers={"hx-request": "true"})
    assert 'hx-trigger="every 1s"' in asked.content.decode()
    batches.work_all()
    assert lili.get(page_of(batch), headers={"hx-request": "true"})["HX-Refresh"] == "true"
    assert "every 1s" not in page(lili, batch)


def test_a_bar_that_ends_while_the_page_is_made_brings_the_page(lili: Client, world: World) -> None:
    upload(lili, world.template, text="13800138000")
    batch = Batch.objects.get()
    moved: list[bool] = []

    def a_worker_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if not moved and "coupons_batch" in sql:
            moved.append(True)
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.READY)
        return found

    with connection.execute_wrapper(a_worker_meanwhile):
        answer = lili.get(page_of(batch), headers={"hx-request": "true"})
    assert moved
    assert answer.headers.get("HX-Refresh") == "true"


def test_rows_that_are_turned_down_come_as_a_file_with_the_reasons(lili: Client, world: World) -> None:
    batch = sent(lili, world.template, "13800138000\n1380013800\n13800138000\n=1+1\x07\n")
    response = lili.get(action_of(batch, "failed"))
    assert "attachment" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row[0], row[2]) for row in rows[1:]] == [("1380013800", "2"), ("13800138000", "3"), ("'=1+1\x07", "4")]
    assert "11 digits" in rows[1][1]


def test_numbers_in_that_file_are_masked_for_whoever_did_not_type_them(
    lili: Client, root: Client, world: World
) -> None:
    batch = sent(root, world.template, "13800138000\n13800138000")
    assert "138****8000" in b"".join(lili.get(action_of(batch, "failed")).streaming_content).decode()
    assert "13800138000" in b"".join(root.get(action_of(batch, "failed")).streaming_content).decode()


def test_what_was_typed_stays_when_something_is_wrong(lili: Client, world: World) -> None:
    html = upload(lili, world.template, text="a\nb", last_day="2020-01-01", name="春节").content.decode()
    assert "This day is over." in html
    assert "a\nb" in html
    assert 'value="春节"' in html
    neither = upload(lili, world.template).content.decode()
    assert "Choose a file or paste a text." in neither
    both = upload(lili, world.template, text="a", file=SimpleUploadedFile("a.csv", b"a")).content.decode()
    assert "not both" in both
    bad = upload(lili, world.template, file=SimpleUploadedFile("a.xls", b"\xd0\xcf\x11\xe0123")).content.decode()
    assert "old .xls" in bad
    assert not Batch.objects.exists()


def test_the_last_day_is_that_day_to_its_end(lili: Client, world: World) -> None:
    last = world.template.end_date
    batch = sent(lili, world.template, "a", last_day=last.isoformat())
    batches.start(batch)
    batches.work_all()
    until = IssuedCoupon.objects.get(batch=batch).valid_until
    assert until.isoformat() == f"{last}T15:59:59+00:00"


def test_short_stock_is_said_before_the_start(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(stock=3)
    batch = sent(lili, world.template, "a\nb\nc")
    words = "room for 1 of these 3"
    assert words in page(lili, batch)
    assert words in lili.get(action_of(batch, "start")).content.decode()


def test_pause_resume_and_cancel(lili: Client, world: World) -> None:
    batch = sent(lili, world.template, "a\nb")
    act(lili, batch, "start")
    assert act(lili, batch, "pause") == ["Paused."]
    assert "goes on where it is" in page(lili, batch)
    assert act(lili, batch, "resume") == ["Resumed."]
    assert act(lili, batch, "cancel") == ["Cancelled."]
    assert act(lili, batch, "start") == ["The batch has moved on meanwhile: this cannot be done to it now."]


def test_a_recall_says_how_many_and_asks_why(lili: Client, world: World) -> None:
    batch = sent(lili, world.template, "a\nb\nc")
    act(lili, batch, "start")
    batches.work_all()
    assert "3 coupons are out" in lili.get(action_of(batch, "recall")).content.decode()
    assert lili.post(action_of(batch, "recall"), {"_form_submitted": "1"}).status_code == 200  # no reason
    assert act(lili, batch, "recall", reason="写错了") == ["The recall has begun."]
    batches.work_all()
    assert set(batch.coupons.values_list("status", flat=True)) == {"revoked"}
    recall = Batch.objects.latest("pk")
    assert "写错了" in page(lili, recall)
    assert "Recall" not in [one for one in page(lili, batch).split() if one == "Recall"]


def test_recalling_a_template_takes_back_what_is_out_of_it(lili: Client, world: World) -> None:
    assert "2 coupons are out" in lili.get(action_of(world.template, "recall")).content.decode()
    act(lili, world.template, "recall", reason="下架")
    batches.work_all()
    world.template.refresh_from_db()
    assert world.template.issued_count == 0


def test_a_template_that_is_not_published_issues_to_nobody(lili: Client, world: World) -> None:
    response = lili.get(action_of(world.draft, "issue-many"), follow=True)
    assert "it is not published" in response.content.decode()


def test_batches_of_another_merchant_are_not_there(lili: Client, root: Client, world: World) -> None:
    batch = sent(root, world.other_template, "a\nb")
    for path in ("start", "cancel", "recall", "failed"):
        address = action_of(batch, path)
        assert lili.post(address, {"_form_submitted": "1", "reason": "x"}).status_code in (302, 404), path
    assert lili.get(action_of(batch, "failed")).status_code == 404
    assert "2 customers" not in lili.get(action_of(batch, "start")).content.decode()
    batch.refresh_from_db()
    assert batch.state == BatchState.READY
    assert upload(lili, world.other_template, text="a").status_code == 404
    assert "a" not in [row.text for row in lili.get(list_of(batch.rows.first())).context["cl"].result_list]
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("missing", ["issue_batch", "recall_batch"])
def test_each_kind_needs_its_permission(lili: Client, root: Client, staff: User, world: World, missing: str) -> None:
    staff.user_permissions.remove(Permission.objects.get(codename=missing))
    batch = sent(root, world.template, "a\nb")
    if missing == "issue_batch":
        assert upload(lili, world.template, text="a").status_code == 403
        assert lili.post(action_of(batch, "start"), {"_form_submitted": "1"}).status_code == 403
    else:
        assert lili.get(action_of(world.template, "recall")).status_code == 403
        recall = batches.begin_recall(world.template, reason="x")
        assert lili.post(action_of(recall, "pause"), {"_form_submitted": "1"}).status_code == 403
    batch.refresh_from_db()
    assert batch.state == BatchState.READY


def test_rows_are_exported_and_numbers_in_them_masked(lili: Client, root: Client, world: World) -> None:
    batch = sent(root, world.template, "张三 13800138000\n138001380001\n")
    shown = lili.get(list_of(batch.rows.first())).content.decode()
    assert "张三 138****8000" in shown
    assert "138001380001" not in shown
    said = b"".join(lili.get(list_of(batch.rows.first()) + "export-csv/").streaming_content).decode()
    assert "张三 138****8000" in said
    assert "138****" in said
    assert "138001380001" not in said
    assert "EXPORT BROKE OFF" not in said


def test_reasons_of_another_merchants_batch_are_not_offered(lili: Client, root: Client, world: World) -> None:
    batch = sent(root, world.other_template, "1380013800")
    address = f"{list_of(batch.rows.first())}?batch__id__exact="
    assert "11 digits" not in lili.get(f"{address}{batch.pk}").content.decode()
    assert "11 digits" in root.get(f"{address}{batch.pk}").content.decode()
    assert lili.get(f"{address}{'9' * 30}", follow=True).status_code == 200
