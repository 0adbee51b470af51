"""The budget of a template: typed in yuan, shown as bars, and never below what has been promised."""

from typing import Any

import pytest
from django.test import Client

from coupons import lifecycle
from coupons.models import CouponTemplate
from tests.admin.conftest import World
from tests.admin.pages import act, add_of, page_of
from tests.admin.test_template_form import errors_of, typed
from tests.factories import issued, published


def test_budget_and_cost_are_typed_in_yuan(lili: Client, world: World) -> None:
    changes = {"kind": "discount", "percent_paid": "90", "budget": "12000.50", "cost_each": "30"}
    assert lili.post(add_of(CouponTemplate), typed(world, **changes)).status_code == 302
    template = CouponTemplate.objects.get(title="满100减20")
    assert (template.budget_fen, template.cost_each_fen) == (1_200_050, 3000)
    form = lili.get(page_of(template)).context["adminform"].form
    assert (form["budget"].value(), form["cost_each"].value()) == ("12000.50", "30")


def test_where_the_kind_says_what_one_costs_nobody_else_does(lili: Client, world: World) -> None:
    lili.post(add_of(CouponTemplate), typed(world, budget="100", cost_each="7"))
    template = CouponTemplate.objects.get(title="满100减20")
    assert (template.budget_fen, template.cost_each_fen) == (10_000, None)


@pytest.mark.parametrize("cost", ["", "0"])
def test_a_budget_of_discounts_needs_to_know_what_one_costs(lili: Client, world: World, cost: str) -> None:
    changes = {"kind": "discount", "percent_paid": "90", "budget": "100", "cost_each": cost}
    errors = errors_of(lili.post(add_of(CouponTemplate), typed(world, **changes)))
    assert list(errors) == ["cost_each"]


def test_a_budget_below_what_is_promised_is_refused_with_the_sum(lili: Client, world: World) -> None:
    issued(world.template)  # the third; each takes 10 yuan off
    response = lili.post(page_of(world.template), typed(world, title="保留的输入", stock="100", budget="29.99"))
    assert errors_of(response) == {"budget": ["¥30 have been promised already; the budget cannot be smaller."]}
    assert "保留的输入" in response.content.decode()
    world.template.refresh_from_db()
    assert world.template.budget_fen is None


def test_bars_say_how_much_is_issued_promised_and_spent(lili: Client, world: World) -> None:
    template = published(merchant=world.own, stock=4, budget_fen=5000)
    coupons = [issued(template) for _each in range(3)]
    lifecycle.redeem_at_till(lifecycle.lock([coupons[0].pk])[0], at=coupons[0].issued_at)
    html = lili.get(page_of(template)).content.decode()
    assert "3 of 4 issued" in html
    assert "¥30 of ¥50 promised" in html
    assert "¥10 spent in redeemed coupons" in html
    assert "Issuing stops when the budget is reached." in html


def test_a_budget_that_is_reached_says_so(lili: Client, world: World) -> None:
    template = published(merchant=world.own, budget_fen=1500)
    issued(template)
    assert "nothing more is issued until it is raised" in lili.get(page_of(template)).content.decode()


def test_a_copy_has_the_same_budget_with_nothing_promised(lili: Client, world: World) -> None:
    fields: dict[str, Any] = {"kind": "discount", "amount_fen": None, "percent_paid": 90}
    template = published(merchant=world.own, budget_fen=5000, cost_each_fen=700, **fields)
    issued(template)
    act(lili, template, "duplicate")
    copy = CouponTemplate.objects.latest("pk")
    assert (copy.budget_fen, copy.cost_each_fen, copy.committed_fen) == (5000, 700, 0)
