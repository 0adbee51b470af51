"""Who may do what: each role at each action, at the merchant that it sees and at another one, as one table.

The dialog of an action is asked for, which changes nothing: 200 = it is open. A page of an action that asks nothing is
sent nothing that would do something.
"""

from typing import Any

import pytest
from django.contrib.auth.models import User

from coupons import batches
from coupons.approvals import asking
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import AlertTarget, OutboxRow, PartnerApp
from merchants.models import Customer, DfireAccount, SmartCouponAccount
from tests.admin.conftest import World
from tests.admin.pages import action_of, add_of, list_of, page_of

ROLES = ("Administrator", "Marketing", "Operations", "Auditor")
A, M, P, U = ROLES
EVERYONE = set(ROLES)

# what: (whose row, action) -> who may at a merchant that they see
ROW_ACTIONS: dict[tuple[str, str], set[str]] = {
    ("template", "change"): EVERYONE,
    ("template", "issue"): {A, M},
    ("template", "issue-many"): {A, M},
    ("template", "recall"): {A, M},
    ("template", "pause"): {A, M},
    ("template", "end"): {A, M},
    ("template", "duplicate"): {A, M},
    ("template", "compare"): EVERYONE,
    ("draft", "publish"): {A, M},
    ("draft", "remove"): {A, M},
    ("coupon", "change"): EVERYONE,
    ("coupon", "revoke"): {A, M, P},
    ("coupon", "transfer"): {A, M, P},
    ("coupon", "resend"): {A, M},
    ("batch", "change"): EVERYONE,
    ("batch", "start"): {A, M},
    ("batch", "cancel"): {A, M},
    ("approval", "change"): EVERYONE,
    ("approval", "approve"): {A, P},
    ("approval", "refuse"): {A, P},
    ("customer", "change"): EVERYONE,
    ("customer", "erase"): {A, P},
    ("row", "change"): EVERYONE,
    ("row", "retry"): {A, P},
    ("row", "cancel"): {A, P},
    ("callback", "change"): EVERYONE,
    ("callback", "try"): {A, P},
    ("callback", "dismiss"): {A, P},
    ("merchant", "change"): EVERYONE,
    ("merchant", "compare"): {A, P},
    ("incident", "change"): EVERYONE,
}
PAGES: dict[str, set[str]] = {
    list_of(CouponTemplate): EVERYONE,
    add_of(CouponTemplate): {A, M},
    add_of(Customer): {A, M, P},
    f"{list_of(IssuedCoupon)}export-csv/": {A, P, U},
    f"{list_of(OutboxRow)}export-xlsx/": {A, P, U},
    "/admin/settlement/": EVERYONE,
    "/admin/settlement/?format=csv": {A, P, U},
    "/admin/settlement/budgets/?format=csv": {A, P, U},
    list_of(DfireAccount): {A},
    list_of(SmartCouponAccount): {A},
    list_of(PartnerApp): {A},
    list_of(AlertTarget): {A},
    list_of(User): {A},
    add_of(User): {A},
    "/admin/auth/group/": {A},
    "/admin/merchants/merchantscope/": {A},
    "/admin/merchants/signin/": {A, U},
    "/admin/merchants/failedsignin/": {A, U},
    "/admin/merchants/signinlock/": {A, U},
    "/admin/merchants/authenticator/": {A, U},
    "/admin/two-factor/set-up/": EVERYONE,
    "/admin/password_change/": EVERYONE,
}


def rows(world: World) -> dict[str, tuple[Any, Any]]:
    """The row at the merchant that they see, and one like it at the other."""
    for template in (world.template, world.other_template):
        batches.begin_issue(template, template.coupons.first().customer.identifier)
    batches.work_all()
    own_batch, other_batch = world.template.batches.get(), world.other_template.batches.get()
    somebody = User.objects.create_superuser("somebody")
    asked = tuple(asking.ask_to_issue(one, by=somebody, reason="x") for one in (own_batch, other_batch))
    return {
        "template": (world.template, world.other_template),
        "draft": (world.draft, world.other_template),
        "coupon": (world.coupon, world.other_coupon),
        "batch": (own_batch, other_batch),
        "approval": asked,
        "customer": (world.coupon.customer, world.other_coupon.customer),
        "row": (world.dead, world.other_row),
        "callback": (world.open_callback, world.other_callback),
        "merchant": (world.own, world.other),
        "incident": (world.own_incident, world.other_incident),
    }


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_exactly_this(browser: Any, member: Any, world: World, role: str) -> None:
    client = browser(member(role))
    wrong = []
    found = rows(world)
    for (name, path), who in ROW_ACTIONS.items():
        for row, there in zip(found[name], (role in who, role in who and role == A), strict=True):
            if row is found[name][1] and name == "draft":
                continue
            address = page_of(row) if path == "change" else action_of(row, path)
            status = client.get(address).status_code
            if (status == 200) != there:
                wrong.append((address, status, there))
    for address, who in PAGES.items():
        status = client.get(address).status_code
        if (status == 200) != (role in who):
            wrong.append((address, status, role in who))
    assert not wrong
