"""The form of a template: yuan in, fen stored; what cannot be promised is said beside its field."""

from typing import Any

import pytest
from django.test import Client

from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from tests.admin.conftest import World
from tests.admin.pages import add_of, page_of, said, save_changes
from tests.factories import issued

TYPED = {
    "title": "满100减20", "reference": "", "notice": "", "kind": "cash", "amount": "20", "min_spend": "100.50",
    "percent_paid": "", "menu_ids": "", "start_date": "2026-11-01", "end_date": "2027-12-31", "valid_days": "",
    "use_times_from": [""], "use_times_to": [""], "use_dates_from": [""], "use_dates_to": [""],
    "blackout_dates_from": [""], "blackout_dates_to": [""], "stock": "", "per_person_limit": "",
    "per_person_daily_limit": "",
}  # fmt: skip
NO_VERSIONS = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}


def typed(world: World, **changes: Any) -> dict[str, Any]:
    return {**TYPED, **NO_VERSIONS, "merchant": world.own.pk, **changes}


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_yuan_are_stored_as_fen(lili: Client, world: World) -> None:
    response = lili.post(add_of(CouponTemplate), typed(world))
    assert response.status_code == 302
    template = CouponTemplate.objects.get(title="满100减20")
    assert (template.amount_fen, template.min_spend_fen, template.status) == (2000, 10050, "draft")


def test_another_merchants_template_cannot_be_added(lili: Client, world: World) -> None:
    before = CouponTemplate.objects.count()
    assert "merchant" in errors_of(lili.post(add_of(CouponTemplate), typed(world, merchant=world.other.pk)))
    assert CouponTemplate.objects.count() == before


def test_fen_are_shown_as_yuan(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(min_spend_fen=5050)
    form = lili.get(page_of(world.template)).context["adminform"].form
    assert (form["amount"].value(), form["min_spend"].value()) == ("10", "50.50")


def test_checkboxes_rows_and_tags_become_lists(lili: Client, world: World) -> None:
    changes = {
        "shop_entity_ids": ["10000001"], "channels": ["dine_in"], "use_weekdays": ["1", "5"],
        "use_times_from": ["11:00", "", "17:00"], "use_times_to": ["14:00", "", "21:00"],
        "use_dates_from": ["2026-10-01"], "use_dates_to": ["2026-10-07"],
        "blackout_dates_from": ["2026-12-24", "2026-12-31"], "blackout_dates_to": ["", "2026-12-31"],
        "kind": "dish_cash", "menu_ids": ["M1", "Ｍ2， M3", "M1", ""],
    }  # fmt: skip
    assert lili.post(add_of(CouponTemplate), typed(world, **changes)).status_code == 302
    template = CouponTemplate.objects.get(title="满100减20")
    assert template.shop_entity_ids == ["10000001"]
    assert template.channels == ["dine_in"]
    assert template.use_weekdays == [1, 5]
    assert template.use_times == ["11:00-14:00", "17:00-21:00"]
    assert template.use_dates == ["2026-10-01/2026-10-07"]
    assert template.blackout_dates == ["2026-12-24", "2026-12-31/2026-12-31"]
    assert template.menu_ids == ["M1", "M2", "M3"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", ""),
        ("amount", "0"),
        ("amount", "10.50"),
        ("amount", "10.505"),
        ("amount", "a"),
        ("amount", "-1"),
        ("min_spend", "1000000"),
        ("end_date", "2026-10-31"),
        ("valid_days", "0"),
        ("title", ""),
    ],
)
def test_what_cannot_be_promised_is_said_beside_its_field(lili: Client, world: World, field: str, value: str) -> None:
    errors = errors_of(lili.post(add_of(CouponTemplate), typed(world, **{field: value})))
    assert list(errors) == [field]
    assert not CouponTemplate.objects.filter(title="满100减20").exists()


@pytest.mark.parametrize(
    ("field", "first", "last"),
    [
        ("use_times", "25:00", "26:00"),
        ("use_times", "22:00", "02:00"),
        ("use_times", "11:00", ""),
        ("use_times", "", "14:00"),
        ("use_dates", "2026-02-30", ""),
        ("use_dates", "", "2026-12-31"),
        ("blackout_dates", "2026-12-31", "2026-12-24"),
    ],
)
def test_a_wrong_row_is_named_and_kept(lili: Client, world: World, field: str, first: str, last: str) -> None:
    rows = {f"{field}_from": [first, ""], f"{field}_to": [last, ""]}
    response = lili.post(add_of(CouponTemplate), typed(world, **rows))
    errors = errors_of(response)
    assert list(errors) == [field]
    assert all(part in errors[field][0] for part in (first, last))
    html = response.content.decode()
    assert f'name="{field}_from" value="{first}"' in html
    assert f'name="{field}_to" value="{last}"' in html


def test_rows_that_nobody_touched_are_no_change(lili: Client, world: World) -> None:
    stored = ["2026-12-24/2026-12-24", "2026-12-31"]
    CouponTemplate.objects.filter(pk=world.draft.pk).update(blackout_dates=stored)
    rows = {
        "blackout_dates_from": ["2026-12-24", "2026-12-31"],
        "blackout_dates_to": ["2026-12-24", ""],
    }
    lili.post(page_of(world.draft), typed(world, **rows))
    world.draft.refresh_from_db()
    assert world.draft.blackout_dates == stored


def test_a_discount_keeps_no_amount_that_was_typed_before(lili: Client, world: World) -> None:
    lili.post(add_of(CouponTemplate), typed(world, kind="discount", percent_paid="85", menu_ids="M1"))
    template = CouponTemplate.objects.get(title="满100减20")
    assert (template.amount_fen, template.percent_paid, template.menu_ids) == (None, 85, [])


def test_a_dish_coupon_needs_its_dishes(lili: Client, world: World) -> None:
    assert "menu_ids" in errors_of(lili.post(add_of(CouponTemplate), typed(world, kind="dish_price")))


def test_editing_a_published_template_makes_a_new_version_once_coupons_are_out(lili: Client, world: World) -> None:
    save_changes(lili, world.template, typed(world, title="新标题", stock="100"))
    world.template.refresh_from_db()
    assert (world.template.title, world.template.versions.count()) == ("新标题", 2)
    assert OutboxRow.objects.filter(template=world.template, kind="save_promotion").count() == 2
    assert world.coupon.version.terms.title == "满50减10"


def test_a_stock_below_what_is_out_is_refused_with_the_form_kept(lili: Client, world: World) -> None:
    issued(world.template)
    response = lili.post(page_of(world.template), typed(world, title="保留的输入", stock="1"))
    assert "stock" in errors_of(response)
    assert "保留的输入" in response.content.decode()
    assert said(response) == []
    world.template.refresh_from_db()
    assert world.template.stock == 100


def test_a_published_template_stays_with_its_merchant(root: Client, world: World) -> None:
    save_changes(root, world.template, {**typed(world, stock="100"), "merchant": world.other.pk})
    world.template.refresh_from_db()
    assert world.template.merchant == world.own


def test_a_draft_may_change_its_merchant_but_not_keep_foreign_shops(root: Client, world: World) -> None:
    changes = {"merchant": world.other.pk, "shop_entity_ids": ["10000001"]}
    assert "shop_entity_ids" in errors_of(root.post(page_of(world.draft), typed(world, **changes)))
    assert root.post(page_of(world.draft), typed(world, merchant=world.other.pk)).status_code == 302


def test_shops_that_are_no_more_stay_chosen(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.draft.pk).update(shop_entity_ids=["gone"])
    field = lili.get(page_of(world.draft)).context["adminform"].form.fields["shop_entity_ids"]
    assert field.widget.shops == [("10000001", "西湖店"), ("gone", "no such shop")]
    lili.post(page_of(world.draft), typed(world, shop_entity_ids=["gone"]))
    world.draft.refresh_from_db()
    assert world.draft.shop_entity_ids == ["gone"]


def test_refusals_are_said_in_chinese_too(browser: Any, staff: Any, world: World) -> None:
    response = browser(staff, "zh-hans").post(
        add_of(CouponTemplate), typed(world, amount="10.50", use_times_from=["25:00"], use_times_to=["26:00"])
    )
    html = response.content.decode()
    assert "收银系统只支持整数元" in html
    assert "25:00-26:00：请填写开始和结束时间" in html


def test_a_reference_is_the_merchants_once(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.draft.pk).update(reference="summer")
    for address in (add_of(CouponTemplate), page_of(world.template)):
        response = lili.post(address, typed(world, reference="summer", stock="100"))
        assert "template with this reference already" in str(errors_of(response))


def test_the_shops_on_the_page_are_those_of_the_chosen_merchant(root: Client, world: World) -> None:
    def shown(response: Any) -> list[str]:
        picker = response.context["adminform"].form.fields["shop_entity_ids"].widget
        return [name for _key, name in picker.shops]

    assert shown(root.get(add_of(CouponTemplate))) == []  # two merchants, none chosen yet
    chosen = typed(world, title="", merchant=world.other.pk)
    assert shown(root.post(add_of(CouponTemplate), chosen)) == ["别家店"]
    assert shown(root.get(page_of(world.draft))) == ["西湖店"]
    assert shown(root.post(add_of(CouponTemplate), typed(world, title="", merchant=""))) == []


def test_shops_are_fetched_for_ones_own_merchants_alone(lili: Client, world: World) -> None:
    address = f"{add_of(CouponTemplate)}".replace("/add/", "/shops/")
    answer = lili.get(address, {"merchant": world.own.pk})
    assert answer.json() == {"shops": [{"id": "10000001", "name": "西湖店"}]}
    for merchant in (world.other.pk, "", "x", 10**9):
        assert lili.get(address, {"merchant": merchant}).status_code == 404


def test_who_may_only_look_reads_the_terms_in_words(lili: Client, staff: Any, world: World) -> None:
    kept = staff.user_permissions.filter(codename="view_coupontemplate")
    staff.user_permissions.set(kept)
    CouponTemplate.objects.filter(pk=world.template.pk).update(use_times=["11:00-14:00"], per_person_limit=2)
    html = lili.get(page_of(world.template)).content.decode()
    assert "11:00-14:00" in html
    assert "¥10 off from ¥50, 11:00–14:00" in html
    assert "data-portal-rows" not in html
    address = f"{add_of(CouponTemplate)}".replace("/add/", "/shops/")
    assert lili.get(address, {"merchant": world.own.pk}).status_code == 403
