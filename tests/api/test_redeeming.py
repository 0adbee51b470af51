"""Redeeming through the API: what the contract says, against a dfire at the socket."""

import pytest
from django.utils import timezone

from integrations.sandbox.server import Sandbox
from merchants.clock import local_day
from merchants.models import DfireAccount, Merchant
from tests.api.caller import Caller
from tests.api.redeeming import VERIFY, Scene
from tests.factories import MerchantFactory, issued, published
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def merchant(account: DfireAccount) -> Merchant:
    """Merchant 88, whose tills are the sandbox's."""
    made: Merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    return made


@pytest.fixture
def scene(merchant: Merchant, api: Caller, sandbox: Sandbox) -> Scene:
    """A coupon that dfire holds."""
    template = published(merchant=merchant)
    coupon = issued(template)
    drain_through()
    coupon.refresh_from_db()
    return Scene(api, Dfire(sandbox), template, coupon)


def test_a_redemption_is_settled_with_dfire_before_it_is_answered(scene: Scene) -> None:
    answer = scene.redeem()
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "redeemed"), said
    assert said["redeemed_at"]
    assert (scene.spent()["status"], scene.spent()["order_id"]) == ("used", "o-1")
    coupon = scene.fresh()
    assert (coupon.redeemed_through, coupon.paid_fen, coupon.saved_fen) == ("api", 5600, 1000)
    assert scene.api.get(f"coupons/{coupon.code}/").json() == said
    [sent] = scene.dfire.calls(VERIFY)
    assert (sent["orderId"], sent["needFee"], sent["savedFee"]) == ("o-1", "5600", "1000")
    assert sent["orderDate"] == local_day(timezone.now()).strftime("%Y%m%d")
