"""A partner's app that may do everything for merchant 88, and one that may do everything for another merchant."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from coupons.models import CouponTemplate
from integrations.outbox import doorbell
from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount, Merchant
from tests.api.caller import Caller, caller_of
from tests.api.live import UNLIMITED, Partner
from tests.api.redeeming import Scene
from tests.e2e.portal import Portal
from tests.factories import MerchantFactory, issued, published
from tests.hooks.helpers import close_connection
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through


@pytest.fixture(autouse=True)
def _no_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ring for no worker."""
    monkeypatch.setattr(doorbell, "ring", lambda: True)


@pytest.fixture
def merchant(db: None) -> Merchant:
    """Merchant 88."""
    made: Merchant = MerchantFactory(merchant_id="88")
    return made


@pytest.fixture
def stranger(db: None) -> Merchant:
    """A merchant that is not the app's."""
    made: Merchant = MerchantFactory(merchant_id="99")
    return made


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A published template of merchant 88."""
    return published(merchant=merchant, stock=100, reference="summer-10")


@pytest.fixture
def api(merchant: Merchant) -> Caller:
    """The app of merchant 88."""
    return caller_of("mini-program", merchant)


@pytest.fixture
def at_once() -> Callable[[Callable[[int], Any], int], list[Any]]:
    """Call a function so many times side by side, each with a database connection of its own."""

    def run(function: Callable[[int], Any], times: int) -> list[Any]:
        def one(number: int) -> Any:
            try:
                return function(number)
            finally:
                close_connection()

        with ThreadPoolExecutor(times) as pool:
            return [future.result(timeout=60) for future in [pool.submit(one, number) for number in range(times)]]

    return run


@pytest.fixture
def scene(transactional_db: None, sandbox: Sandbox, account: DfireAccount) -> Scene:
    """A coupon of merchant 88 that the sandbox's dfire holds."""
    merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    template = published(merchant=merchant)
    coupon = issued(template)
    drain_through()
    coupon.refresh_from_db()
    return Scene(caller_of("mini-program", merchant), Dfire(sandbox), template, coupon)


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """The running portal, whose limits stay out of the way."""
    running = Portal()
    running.environment |= UNLIMITED
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="session")
def partner(portal: Portal) -> Partner:
    """A partner's application at the running portal."""
    return Partner(portal)
