"""Promotions by title, local dates and shops; and those that exist only at dfire, taken over as drafts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from coupons import templates
from coupons.models import CouponTemplate, TemplateVersion
from integrations.models import AccountState, Finding
from integrations.models.reconcile import Drift, FindingState, Repair
from integrations.outbox import engine
from integrations.sync.promotion_terms import last_day_of_use
from merchants.clock import local_day
from merchants.models import Merchant
from tests.admin.pages import trail_of
from tests.factories import MerchantFactory, ShopFactory, published
from tests.outbox.helpers import drain_through
from tests.reconcile.dfire import Dfire
from tests.reconcile.helpers import agree, compare, delivered, plan, repair_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lili(db: None) -> User:
    return User.objects.create_user("lili", is_staff=True)


def _only_there(dfire: Dfire, template: CouponTemplate, promotion_id: str = "4711", **fields: Any) -> None:
    """Somebody made a promotion at dfire, like the template's."""
    dfire.write(
        "INSERT INTO promotions SELECT app_key, ?, ?, entity_id, plate_entity_id, appid, title, promotion_type, mode,"
        " rules, start_date, end_date, total_num, dynamic_days, channels, saves, deleted, delivered, updated_at"
        " FROM promotions WHERE promotion_id = ?",
        promotion_id, f"own-{promotion_id}", template.coupon_id,
    )  # fmt: skip
    dfire.rename(promotion_id, **fields)


def test_another_title_is_found_and_saved_over(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    dfire.rename(template.coupon_id, title="somebody's own words")
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.PROMOTION_DIFFERS, template.coupon_id, Repair.SAVE_AGAIN)]
    assert Finding.objects.get().details == {"title": [template.title, "somebody's own words"]}
    repair_all(run, lili)
    assert dfire.promotion(template.coupon_id)["title"] == template.title  # type: ignore[index]
    agree(template.merchant)


@pytest.mark.parametrize(("field", "name"), [("start_date", "start_date"), ("end_date", "end_date")])
def test_other_dates_are_found(template: CouponTemplate, dfire: Dfire, field: str, name: str) -> None:
    dfire.rename(template.coupon_id, **{field: f"{timezone.localdate() + timedelta(days=9):%Y%m%d}"})
    compare(template.merchant)
    assert list(Finding.objects.get().details) == [name]


def test_other_shops_are_found(merchant: Merchant, dfire: Dfire) -> None:
    shop = ShopFactory(merchant=merchant)
    template = published(merchant=merchant, shop_entity_ids=[shop.entity_id])
    engine.drain()
    agree(merchant)
    dfire.rename(template.coupon_id, rules="{}")
    compare(merchant)
    assert Finding.objects.latest("pk").details == {"shops": [[shop.entity_id], []]}


def test_no_shop_named_here_and_all_of_them_there_is_the_same(merchant: Merchant, dfire: Dfire) -> None:
    shops = [ShopFactory(merchant=merchant).entity_id for _ in range(2)]
    template = published(merchant=merchant)
    engine.drain()
    dfire.rename(template.coupon_id, rules=f'{{"chainSuitShopRule": "{",".join(shops)}"}}')
    agree(merchant)
    dfire.rename(template.coupon_id, rules=f'{{"chainSuitShopRule": "{shops[0]}"}}')
    compare(merchant)
    assert Finding.objects.latest("pk").details == {"shops": [[], [shops[0]]]}


def test_a_missing_promotion_is_saved_again_before_its_coupons(
    template: CouponTemplate, dfire: Dfire, lili: User
) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    dfire.drop_promotion(template.coupon_id)
    run = compare(template.merchant, by=lili)
    assert [kind for kind, _subject, _repair in plan(run)] == [Drift.MISSING_THERE, Drift.PROMOTION_MISSING]
    repair_all(run, lili)
    assert dfire.coupon(coupon.code)["status"] == "held"  # type: ignore[index]
    agree(template.merchant)


def test_a_last_day_of_use_is_the_promotions_end(merchant: Merchant, dfire: Dfire) -> None:
    template = published(merchant=merchant, valid_days=7)
    engine.drain()
    terms = TemplateVersion.objects.get(template=template).terms
    assert last_day_of_use(terms) != terms.end_date
    agree(merchant)


@pytest.mark.parametrize("hour", ["15:59:59", "16:00:00", "23:59:59", "00:00:00"])  # UTC: midnight in Shanghai is 16:00
def test_nothing_is_found_at_midnight_in_shanghai_with_an_end_at_its_first_second(
    merchant: Merchant, dfire: Dfire, monkeypatch: pytest.MonkeyPatch, hour: str
) -> None:
    """The last day itself: dfire names its end by 00:00 of that very day."""
    moment = datetime.fromisoformat(f"{timezone.now():%Y-%m-%d}T{hour}+00:00")
    today = local_day(moment)
    template = published(merchant=merchant, start_date=today - timedelta(days=3), end_date=today)
    if today == timezone.localdate():
        delivered(template, 2)
    else:
        engine.drain()
    AccountState.objects.update(next_slot_at=None)  # of today's real clock
    monkeypatch.setattr(timezone, "now", lambda: moment)
    agree(merchant)


def test_what_is_over_is_nobodys_business(merchant: Merchant, dfire: Dfire) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    template = published(merchant=merchant)
    engine.drain()
    _only_there(dfire, template, end_date=f"{yesterday:%Y%m%d}")
    agree(merchant)


def test_a_promotion_on_its_way_is_left_alone(template: CouponTemplate, dfire: Dfire) -> None:
    delivered(template)
    template.stock = 50  # dfire is told of it
    templates.save_edited(template)
    dfire.rename(template.coupon_id, title="somebody's own words")
    run = compare(template.merchant)
    assert (plan(run), run.moving) == ([], 1)


def test_one_that_exists_only_there_becomes_a_draft_that_staff_complete(
    template: CouponTemplate, dfire: Dfire, lili: User
) -> None:
    _only_there(dfire, template, title="made at the till")
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.PROMOTION_UNKNOWN, "4711", Repair.IMPORT_DRAFT)]
    repair_all(run, lili)
    draft = CouponTemplate.objects.get(coupon_id="4711")
    assert (draft.status, draft.title, draft.end_date) == ("draft", "made at the till", template.end_date)
    assert trail_of(draft) == [(lili.username, "Imported from dfire.")]
    assert Finding.objects.get().template == draft
    agree(template.merchant)
    with pytest.raises(ValidationError):  # dfire does not say what it is worth
        templates.publish(draft)
    draft.amount_fen = 500
    templates.save_edited(draft)
    templates.publish(draft)
    drain_through()
    assert dfire.promotion("4711")["saves"] == 2  # type: ignore[index]
    agree(template.merchant)


def test_an_import_of_what_cannot_be_a_template_stays_open_and_says_why(
    template: CouponTemplate, dfire: Dfire, lili: User
) -> None:
    _only_there(dfire, template, "9" * 65)
    run = compare(template.merchant, by=lili)
    repair_all(run, lili)
    found = Finding.objects.get()
    assert (found.state, found.message) == (FindingState.OPEN, "id_too_long")


def test_another_merchants_promotion_under_the_same_brand_is_not_unknown(
    template: CouponTemplate, dfire: Dfire
) -> None:
    sister = MerchantFactory(dfire_account=template.merchant.dfire_account)
    published(merchant=sister)
    engine.drain()
    agree(template.merchant)
    agree(sister)
