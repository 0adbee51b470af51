"""Templates and their versions: what is edited, and what stays as it was promised."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from coupons import lifecycle, templates
from coupons.choices import Kind, TemplateStatus
from coupons.errors import Reason, Refused
from coupons.models import CouponTemplate
from coupons.terms import Terms
from coupons.validation import term_problems
from tests.factories import CouponTemplateFactory, issued, published

pytestmark = pytest.mark.django_db


def edit(template: CouponTemplate, **fields: Any) -> None:
    fresh = CouponTemplate.objects.get(pk=template.pk)
    for name, value in fields.items():
        setattr(fresh, name, value)
    templates.save_edited(fresh)


def test_the_first_version_is_known_by_the_coupon_id() -> None:
    template = published()
    assert template.versions.get().promotion_id == template.coupon_id


def test_an_edit_before_the_first_coupon_changes_the_version_in_place() -> None:
    template = published()
    edit(template, amount_fen=2000)
    version = template.versions.get()
    assert (version.number, version.terms.amount_fen) == (1, 2000)


def test_an_edit_after_the_first_coupon_makes_a_version_under_a_new_promotion_id() -> None:
    template = published()
    coupon = issued(template)
    edit(template, amount_fen=2000)
    assert template.versions.count() == 2
    coupon.refresh_from_db()
    assert coupon.version.promotion_id == template.coupon_id
    assert coupon.version.terms.amount_fen == 1000
    newer = issued(template).version
    assert newer.terms.amount_fen == 2000
    assert newer.promotion_id not in ("", template.coupon_id)


def test_an_edit_of_a_limit_is_no_change_of_terms() -> None:
    template = published(stock=5)
    issued(template)
    edit(template, stock=6, per_person_limit=2)
    assert template.versions.count() == 1


def test_an_edit_never_writes_back_the_count_of_issued_coupons() -> None:
    template = published()
    stale = CouponTemplate.objects.get(pk=template.pk)
    issued(template)
    stale.title = "新标题"
    templates.save_edited(stale)
    template.refresh_from_db()
    assert template.issued_count == 1


def test_the_stock_cannot_sink_below_what_has_been_issued() -> None:
    template = published(stock=5)
    issued(template)
    issued(template)
    with pytest.raises(ValidationError) as error:
        edit(template, stock=1)
    assert "stock" in error.value.message_dict


def test_an_ended_template_stays_ended() -> None:
    template = published()
    templates.end(template)
    with pytest.raises(Refused) as refused:
        templates.publish(template)
    assert refused.value.reason is Reason.WRONG_STATE


def test_a_template_with_coupons_out_is_not_deleted() -> None:
    template = published()
    issued(template)
    with pytest.raises(Refused) as refused:
        templates.delete(template)
    assert refused.value.reason is Reason.OUTSTANDING


def test_a_template_whose_coupons_are_all_back_ends_and_keeps_its_history() -> None:
    template = published()
    coupon = issued(template)
    lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="", actor="staff:test")
    templates.delete(template)
    template.refresh_from_db()
    assert template.status == TemplateStatus.ENDED


def test_a_template_that_was_never_used_is_gone() -> None:
    template = published()
    templates.delete(template)
    assert not CouponTemplate.objects.filter(pk=template.pk).exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount_fen": None}, "amount_fen"),
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": 1050}, "amount_fen"),
        ({"percent_paid": 90}, "percent_paid"),
        ({"kind": Kind.DISCOUNT}, "amount_fen"),
        ({"kind": Kind.DISCOUNT, "amount_fen": None}, "percent_paid"),
        ({"kind": Kind.DISCOUNT, "amount_fen": None, "percent_paid": 100}, "percent_paid"),
        ({"kind": Kind.DISH_CASH}, "menu_ids"),
        ({"menu_ids": ["1"]}, "menu_ids"),
        ({"kind": Kind.DISH_PRICE, "menu_ids": ["1,2"]}, "menu_ids"),
        ({"title": "  "}, "title"),
        ({"min_spend_fen": -1}, "min_spend_fen"),
        ({"valid_days": 0}, "valid_days"),
        ({"use_weekdays": [0]}, "use_weekdays"),
        ({"use_times": ["14:00-11:00"]}, "use_times"),
        ({"use_times": ["25:00-26:00"]}, "use_times"),
        ({"use_dates": ["2026-02-30/2026-03-01"]}, "use_dates"),
        ({"blackout_dates": ["2026-12-26/2026-12-24"]}, "blackout_dates"),
        ({"channels": ["moon"]}, "channels"),
        ({"kind": "gold"}, "kind"),
    ],
)
def test_terms_that_a_till_cannot_keep_are_refused_by_field(fields: dict[str, Any], field: str) -> None:
    assert field in term_problems(CouponTemplateFactory.build(**fields).terms())


def test_terms_survive_storage() -> None:
    terms = CouponTemplateFactory.build(
        kind=Kind.DISH_DISCOUNT, amount_fen=None, percent_paid=75, menu_ids=["1", "2"], use_weekdays=[1, 7],
        use_times=["11:00-14:00"], blackout_dates=["2026-12-24/2026-12-26"], valid_days=15,
    ).terms()  # fmt: skip
    assert term_problems(terms) == {}
    assert Terms.from_json(terms.to_json()) == terms
