"""Which key may make which call, at its own merchant and at another's, as one table: `CALLS`.

A call that the table does not name, or that is not there any more, fails.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import ApiKey
from integrations.models.partners import Scope
from integrations.partner_api.urls import urlpatterns
from merchants.models import Merchant
from tests.api.caller import Caller, caller_of, errors_of, issue_body
from tests.api.conftest import _no_doorbell, merchant, stranger, template
from tests.attack.state import changed, look
from tests.factories import issued

__all__ = ["_no_doorbell", "merchant", "stranger", "template"]
pytestmark = pytest.mark.django_db
READ, ISSUE, REDEEM, MANAGE, WRITE = Scope.values
ORDER = {"order_id": "1", "paid_fen": 100, "saved_fen": 100}


@dataclass(frozen=True, slots=True)
class Call:
    """A call, the one scope that it needs, its answer to a key that has it: at its own merchant and at another's."""

    name: str
    method: str
    path: str
    scope: str
    own: int
    others: int
    body: Any = None


CALLS = [
    #    route            method  path                           scope    own  other's
    Call("api-templates", "GET", "coupon-templates/", READ, 200, 200),  # an empty list of one's own
    Call("api-template", "GET", "coupon-templates/{coupon_id}/", READ, 200, 404),
    Call("api-coupons", "GET", "coupons/", READ, 200, 200),
    Call("api-coupons", "POST", "coupons/", ISSUE, 201, 404, "issue"),
    Call("api-coupon", "GET", "coupons/{code}/", READ, 200, 404),
    Call("api-check", "POST", "coupons/{code}/check/", READ, 200, 404, {}),
    Call("api-redeem", "POST", "coupons/{code}/redeem/", REDEEM, 409, 404, ORDER),  # dfire does not have it yet
    Call("api-transfer", "POST", "coupons/{code}/transfer/", MANAGE, 202, 404, {"to_identifier": "m-2"}),
    Call("api-revoke", "POST", "coupons/{code}/revoke/", MANAGE, 200, 404, {"reason": "r"}),
    Call("api-customer", "PUT", "customers/m-1/", WRITE, 200, 404, {"merchant_id": "88"}),
]
# Who calls with what, and what every call then answers; None: as `CALLS` says.
KEYS: dict[str, tuple[int, str] | None] = {
    **dict.fromkeys(Scope.values),
    "without a scope": (403, "permission_denied"),
    "ended": (401, "key_expired"),
    "from elsewhere": (403, "address_not_allowed"),
    "another merchant's": None,
    "not known": (401, "authentication_failed"),
    "none": (401, "not_authenticated"),
}


@pytest.fixture
def coupon(template: CouponTemplate) -> IssuedCoupon:
    """A coupon of merchant 88."""
    return issued(template)


def caller(kind: str, merchant: Merchant, stranger: Merchant) -> Caller:
    """Who has such a key; where nothing else is said, one with every scope."""
    scopes = [kind] if kind in Scope.values else [] if kind == "without a scope" else Scope.values
    found = caller_of("app", stranger if kind == "another merchant's" else merchant, scopes=scopes)
    if kind == "ended":
        ApiKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    if kind == "from elsewhere":
        ApiKey.objects.update(allowed_addresses=["203.0.113.1"])
    return Caller(found.app, "cp_not_known") if kind == "not known" else found


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_each_key_may_do_exactly_this(
    coupon: IssuedCoupon, merchant: Merchant, stranger: Merchant, call: Call, kind: str
) -> None:
    app = caller(kind, merchant, stranger)
    coupon_id = coupon.template.coupon_id
    path = call.path.format(code=coupon.code, coupon_id=coupon_id)
    body = issue_body(coupon_id) if call.body == "issue" else call.body
    before = look()
    answer = app.send(call.method, path, body, **({"authorization": ""} if kind == "none" else {}))
    said = KEYS[kind]
    if said is None and kind in Scope.values and kind != call.scope:
        said = (403, "permission_denied")
        assert call.scope in answer.json()["errors"][0]["detail"]
    if said is not None:
        assert (answer.status_code, errors_of(answer)) == (said[0], [(said[1], None)])
    else:
        assert answer.status_code == (call.others if kind == "another merchant's" else call.own)
    if kind == "another merchant's":
        assert answer.status_code != 200 or answer.json() == {"next": None, "previous": None, "results": []}
        assert coupon.code not in answer.content.decode()
    may = kind == call.scope and call.own < 300 and call.method != "GET" and call.name != "api-check"
    assert bool(changed(before, look(), but=LOGS)) == may


LOGS = frozenset({"integrations_apicall", "integrations_apikey", "integrations_unknowncodes"})


def test_the_table_names_every_call_and_no_other() -> None:
    there = {
        (str(pattern.name), method)
        for pattern in urlpatterns
        for method in pattern.callback.view_class.scopes  # type: ignore[union-attr]
    }
    assert {(call.name, call.method) for call in CALLS} == there
    scopes = {
        (str(pattern.name), method): scope.value
        for pattern in urlpatterns
        for method, scope in pattern.callback.view_class.scopes.items()  # type: ignore[union-attr]
    }
    assert {(call.name, call.method): call.scope for call in CALLS} == scopes
