"""Promotions follow their templates: saved, saved again, saved anew, deleted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from coupons import templates
from coupons.models import CouponTemplate, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, settling
from integrations.outbox.calling import perform
from integrations.outbox.claiming import claim
from merchants.models import Merchant
from tests.factories import published
from tests.outbox.dfire import ASK_PROMOTIONS, DELETE, DELIVER, SAVE, Dfire
from tests.outbox.helpers import drain_through, one_coupon, results, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def retitle(template: CouponTemplate, title: str) -> TemplateVersion:
    template.refresh_from_db()
    template.title = title
    version = templates.save_edited(template)
    assert version is not None
    return version


def saves() -> list[OutboxRow]:
    return list(OutboxRow.objects.filter(kind=RowKind.SAVE_PROMOTION).order_by("id"))


def title_at(dfire: Dfire, promotion_id: str) -> str:
    promotion = dfire.promotion(promotion_id)
    return str(promotion["title"]) if promotion else ""


def test_dfires_own_id_is_kept(template: CouponTemplate, dfire: Dfire) -> None:
    version = template.versions.get()
    promotion = dfire.promotion(template.coupon_id)
    assert promotion is not None
    assert version.dfire_id == promotion["own_id"]
    assert version.saved_at is not None


def test_terms_change_in_place_while_nobody_holds_a_coupon(template: CouponTemplate, dfire: Dfire) -> None:
    version = retitle(template, "better")
    assert (version.number, version.promotion_id) == (1, template.coupon_id)
    coupon = one_coupon(template)
    dfire.fault(SAVE, "busy")
    engine.drain()
    assert DELIVER not in dfire.methods(), "delivered under the old terms"
    drain_through()
    assert title_at(dfire, template.coupon_id) == "better"
    assert row_of(coupon).state == RowState.DONE


def test_terms_that_dfire_refuses_hold_the_coupons_back_although_older_ones_were_saved(
    template: CouponTemplate, dfire: Dfire
) -> None:
    dfire.fault(SAVE, "refuse")
    retitle(template, "refused")
    engine.drain()
    coupon = one_coupon(template)
    engine.drain()
    assert (saves()[-1].state, row_of(coupon).state) == (RowState.DEAD, RowState.QUEUED)
    assert DELIVER not in dfire.methods()


def test_an_edit_before_the_first_save_is_one_save_with_the_latest_terms(merchant: Merchant, dfire: Dfire) -> None:
    template = published(merchant=merchant)
    retitle(template, "latest")
    engine.drain()
    assert len(saves()) == 1
    assert (dfire.methods(), title_at(dfire, template.coupon_id)) == ([SAVE], "latest")


def test_an_edit_while_a_save_is_in_flight_is_saved_after_it(merchant: Merchant, dfire: Dfire) -> None:
    template = published(merchant=merchant)
    [job] = claim(merchant.dfire_account_id or 0, 5).jobs
    retitle(template, "second")
    settling.settle(job, perform(job))
    assert template.versions.get().saved_at is None, "what dfire has is not what is promised"
    one_coupon(template)
    engine.drain()
    assert dfire.methods() == [SAVE, SAVE, DELIVER]
    assert title_at(dfire, template.coupon_id) == "second"


def test_a_coupon_that_is_out_keeps_its_promotion_and_new_ones_get_the_new(
    template: CouponTemplate, dfire: Dfire
) -> None:
    old = one_coupon(template)
    version = retitle(template, "new terms")
    new = one_coupon(template)
    drain_through()
    assert (version.number, version.promotion_id != template.coupon_id) == (2, True)
    held = [dfire.coupon(coupon.code) for coupon in (old, new)]
    assert [row and row["promotion_id"] for row in held] == [template.coupon_id, version.promotion_id]
    assert title_at(dfire, template.coupon_id) == "满50减10"
    revoke(old)
    drain_through()
    withdrawn = dfire.coupon(old.code)
    assert withdrawn is not None
    assert withdrawn["status"] == "deleted"


def test_dfire_learns_of_a_larger_stock_before_more_coupons_go_out(template: CouponTemplate, dfire: Dfire) -> None:
    one_coupon(template)
    engine.drain()
    template.refresh_from_db()
    template.stock = 5000
    templates.save_edited(template)
    one_coupon(template)
    engine.drain()
    promotion = dfire.promotion(template.coupon_id)
    assert promotion is not None
    assert promotion["total_num"] >= 5000
    assert dfire.methods() == [SAVE, DELIVER, SAVE, DELIVER]
    assert template.versions.count() == 1


def test_an_uncertain_save_is_repeated_and_not_before_the_first_has_landed(merchant: Merchant, dfire: Dfire) -> None:
    dfire.fault(SAVE, "drop_after")
    published(merchant=merchant)
    before = timezone.now()
    engine.drain()
    [save] = saves()
    assert save.available_at - before > timedelta(seconds=1.9), "it could overwrite what is saved next"
    drain_through()
    assert results(save) == [("send", "uncertain"), ("send", "ok")]


def test_a_save_that_dfire_calls_a_duplicate_is_done_if_it_is_there(merchant: Merchant, dfire: Dfire) -> None:
    template = published(merchant=merchant)
    dfire.fault(SAVE, "drop_after")
    engine.drain()
    OutboxRow.objects.update(tries=0)
    dfire.fault(SAVE, "refuse", code="004")
    drain_through()
    assert (saves()[0].state, ASK_PROMOTIONS in dfire.methods()) == (RowState.DONE, True)
    promotion = dfire.promotion(template.coupon_id)
    assert promotion is not None
    assert template.versions.get().dfire_id == promotion["own_id"]


def test_deleting_a_template_deletes_its_promotion(template: CouponTemplate, dfire: Dfire) -> None:
    promotion_id = template.coupon_id
    templates.delete(template)
    engine.drain()
    promotion = dfire.promotion(promotion_id)
    assert promotion is not None
    assert promotion["deleted"]
    assert not CouponTemplate.objects.exists()


def test_deleting_a_template_that_dfire_never_heard_of_says_nothing(merchant: Merchant, dfire: Dfire) -> None:
    templates.delete(published(merchant=merchant))
    engine.drain()
    assert dfire.methods() == []
    assert [row.state for row in OutboxRow.objects.all()] == [RowState.CANCELLED]


def test_each_version_that_dfire_knows_is_deleted_and_no_other(template: CouponTemplate, dfire: Dfire) -> None:
    used = one_coupon(template)
    engine.drain()
    retitle(template, "never saved")
    revoke(used)
    templates.delete(template)
    drain_through()
    assert [call["promotionId"] for call in dfire.calls(DELETE)] == [template.coupon_id]


@pytest.mark.parametrize(("fault", "calls"), [("drop_after", 1), ("http_500", 2)])
def test_an_uncertain_deletion_is_looked_up(template: CouponTemplate, dfire: Dfire, fault: str, calls: int) -> None:
    dfire.fault(DELETE, fault)
    promotion_id = template.coupon_id
    templates.delete(template)
    drain_through()
    promotion = dfire.promotion(promotion_id)
    assert promotion is not None
    assert promotion["deleted"]
    assert len(dfire.calls(DELETE)) == calls


def test_a_refused_deletion_of_what_is_not_there_is_done_and_else_for_staff(
    template: CouponTemplate, merchant: Merchant, dfire: Dfire
) -> None:
    with dfire.sandbox.app.store.locked() as db:
        db.execute("UPDATE promotions SET deleted = 1")
    templates.delete(template)
    drain_through()
    gone = OutboxRow.objects.get(kind=RowKind.DELETE_PROMOTION)
    assert (gone.state, results(gone)) == (RowState.DONE, [("send", "permanent"), ("ask", "ok")])
    other = published(merchant=merchant)
    engine.drain()
    dfire.fault(DELETE, "refuse", message="in use")
    templates.delete(other)
    drain_through()
    kept = OutboxRow.objects.filter(kind=RowKind.DELETE_PROMOTION).latest("id")
    assert (kept.state, kept.last_message) == (RowState.DEAD, "in use")


def test_deleting_while_the_save_is_in_flight_deletes_after_it(merchant: Merchant, dfire: Dfire) -> None:
    template = published(merchant=merchant)
    promotion_id = template.coupon_id
    [job] = claim(merchant.dfire_account_id or 0, 5).jobs
    templates.delete(template)
    assert claim(merchant.dfire_account_id or 0, 5).jobs == [], "the deletion overtook the save"
    settling.settle(job, perform(job))
    drain_through()
    assert dfire.methods() == [SAVE, DELETE]
    promotion = dfire.promotion(promotion_id)
    assert promotion is not None
    assert promotion["deleted"]
