"""Coupon templates from a file: all kinds, publishing, stock, and new terms once coupons are out."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind
from merchants.clock import local_day
from tests.factories import CustomerFactory, issued
from tests.provisioning.helpers import example

pytestmark = pytest.mark.django_db

KINDS = [
    ({"kind": "cash", "amount_fen": 1000}, {}),
    ({"kind": "discount", "percent_paid": 90}, {"amount_fen": None}),
    ({"kind": "dish_cash", "amount_fen": 500, "menu_ids": ["1", 2]}, {"menu_ids": ["1", "2"]}),
    ({"kind": "dish_discount", "percent_paid": 1, "menu_ids": ["7"]}, {"amount_fen": None}),
    ({"kind": "dish_price", "amount_fen": 2800, "menu_ids": ["7"]}, {"percent_paid": None}),
]
OPTIONAL = {
    "notice": "须知",
    "shop_entity_ids": ["00026863"],
    "use_weekdays": [1, 2, 3, 4, 5],
    "use_times": ["11:00-14:00", "17:00-23:59"],
    "use_dates": ["2026-12-01/2026-12-20"],
    "blackout_dates": ["2026-12-24/2026-12-26", "2026-12-31"],
    "channels": ["dine_in", "take_away"],
    "per_person_limit": 3,
    "per_person_daily_limit": 1,
    "valid_days": 30,
}


@pytest.fixture
def template(run: Any) -> Any:
    """Provision the template of the example with these changes, from today; returns the lines."""
    today = local_day(timezone.now())
    run({**example(), "coupon_templates": []})

    def provisioned(**changes: Any) -> list[str]:
        entry = {
            "merchant_id": "88",
            "reference": "r",
            "title": "t",
            "kind": "cash",
            "amount_fen": 1000,
            "start_date": str(today),
            "end_date": str(today + timedelta(days=30)),
            **changes,
        }
        lines: list[str] = run({"coupon_templates": [entry]})
        return lines

    return provisioned


def stored() -> CouponTemplate:
    """The template as it is."""
    return CouponTemplate.objects.get()


@pytest.mark.parametrize(("entry", "also"), KINDS, ids=lambda entry: entry.get("kind", ""))
def test_every_kind_can_be_made_and_published(template: Any, entry: dict[str, Any], also: dict[str, Any]) -> None:
    if "percent_paid" in entry:
        entry = {**entry, "amount_fen": None}
    assert len(template(**entry, publish=True)) == 2
    for name, value in {**entry, **also}.items():
        assert getattr(stored(), name) == value
    assert stored().status == TemplateStatus.PUBLISHED
    assert OutboxRow.objects.get().kind == RowKind.SAVE_PROMOTION
    assert template(**entry, publish=True) == ["nothing to change"]


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"kind": "discount", "percent_paid": 90, "amount_fen": 100}, "amount_fen"),
        ({"kind": "discount", "amount_fen": None}, "percent_paid"),
        ({"kind": "cash", "percent_paid": 90}, "percent_paid"),
        ({"kind": "cash", "amount_fen": None}, "amount_fen"),
        ({"kind": "dish_cash"}, "menu_ids"),
        ({"kind": "dish_price", "menu_ids": []}, "menu_ids"),
        ({"kind": "dish_price", "menu_ids": ["1,2"]}, "menu_ids"),
        ({"kind": "cash", "menu_ids": ["1"]}, "menu_ids"),
    ],
)
def test_a_worth_that_does_not_fit_its_kind_is_named(refuse: Any, entry: dict[str, Any], wrong: str) -> None:
    document = example()
    document["coupon_templates"][0].update(entry)
    errors = refuse(document)
    assert [error for error in errors if error.startswith(f"coupon_templates[0].{wrong}: ")], errors
    assert not [error for error in errors if "Constraint" in error or "约束" in error], errors


def test_everything_optional_is_kept(template: Any) -> None:
    template(**OPTIONAL)
    for name, value in OPTIONAL.items():
        assert getattr(stored(), name) == value
    assert template(**OPTIONAL) == ["nothing to change"]


def test_without_publish_it_is_a_draft_and_nothing_goes_to_dfire(template: Any) -> None:
    for publish in ({}, {"publish": False}):
        template(**publish)
        assert stored().status == TemplateStatus.DRAFT
    assert not OutboxRow.objects.exists()


def test_publish_opens_a_draft_later(template: Any, run: Any) -> None:
    template()
    entry = {"merchant_id": "88", "reference": "r", "publish": True}
    assert run({"coupon_templates": [entry]}) == ["published coupon template r of merchant 88"]
    assert run({"coupon_templates": [entry]}) == ["nothing to change"]


@pytest.mark.parametrize("step", [templates.pause, templates.end])
def test_publish_opens_nothing_that_staff_have_closed(template: Any, step: Any) -> None:
    template(publish=True)
    step(stored())
    assert template(publish=True) == ["nothing to change"]
    assert stored().status != TemplateStatus.PUBLISHED


def test_publish_false_closes_nothing(template: Any) -> None:
    template(publish=True)
    assert template(publish=False) == ["nothing to change"]
    assert stored().status == TemplateStatus.PUBLISHED


def test_a_stock_below_what_has_been_issued_is_refused(template: Any, refuse: Any) -> None:
    template(publish=True, stock=10)
    for _ in range(3):
        issued(stored(), CustomerFactory(merchant=stored().merchant))
    entry = {"merchant_id": "88", "reference": "r"}
    assert refuse({"coupon_templates": [{**entry, "stock": 2}]})[1:] == [
        "coupon_templates[0].stock: 3 have been issued already."
    ]
    assert template(stock=3) == ["changed coupon template r of merchant 88: stock"]
    assert stored().issued_count == 3


def test_before_anyone_has_one_new_terms_replace_the_old(template: Any) -> None:
    template(publish=True)
    template(amount_fen=2000)
    version = stored().versions.get()
    assert (version.promotion_id, version.terms.amount_fen) == (stored().coupon_id, 2000)


def test_once_one_is_out_new_terms_are_a_new_version(template: Any) -> None:
    template(publish=True)
    coupon = issued(stored(), CustomerFactory(merchant=stored().merchant))
    template(amount_fen=2000)
    newest, first = stored().versions.order_by("-number")
    assert (newest.number, newest.terms.amount_fen) == (2, 2000)
    assert newest.promotion_id not in (first.promotion_id, stored().coupon_id)
    coupon.refresh_from_db()
    assert (coupon.version, coupon.version.terms.amount_fen) == (first, 1000)
    template(amount_fen=2000, per_person_limit=1)
    assert stored().versions.count() == 2


def test_a_budget_and_what_one_costs_are_kept(template: Any) -> None:
    template(kind="discount", amount_fen=None, percent_paid=90, budget_fen=500_000, cost_each_fen=3000)
    found = CouponTemplate.objects.get(reference="r")
    assert (found.budget_fen, found.cost_each_fen) == (500_000, 3000)
    template(kind="discount", amount_fen=None, percent_paid=90, budget_fen=None)
    found.refresh_from_db()
    assert (found.budget_fen, found.cost_each_fen) == (None, 3000)


def test_a_budget_below_what_is_promised_is_refused_by_its_key(template: Any) -> None:
    template(budget_fen=5000, publish=True)
    found = CouponTemplate.objects.get(reference="r")
    issued(found, CustomerFactory(merchant=found.merchant))
    with pytest.raises(CommandError, match=r"coupon_templates\[0\].budget_fen: 1000 fen have been promised already"):
        template(budget_fen=999, publish=True)
