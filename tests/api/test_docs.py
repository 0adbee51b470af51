"""docs/api.md lists every code that an answer can carry, and what it shows works as written."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils.translation import override

from coupons.models import IssuedCoupon
from integrations.outbox import engine
from integrations.partner_api.errors import CONFLICTS, ApiCode, table
from integrations.partner_api.urls import urlpatterns
from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount
from tests.api.caller import caller_of
from tests.documented import run
from tests.factories import MerchantFactory, published
from tests.hooks.conftest import web  # noqa: F401
from tests.outbox.dfire import Dfire

PAGE = (Path(settings.BASE_DIR) / "docs/api.md").read_text()


def test_the_table_of_codes_is_the_enums() -> None:
    with override("en"):
        assert table() in PAGE, "put integrations.partner_api.errors.table() into docs/api.md"


def test_no_code_is_there_twice() -> None:
    known = [member.code for member in ApiCode] + [reason.value for reason in CONFLICTS]
    assert len(known) == len(set(known))


def test_every_address_is_documented() -> None:
    documented = set(re.findall(r"^\| `[A-Z]+ ([^`]+)`", PAGE, re.MULTILINE))
    routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)) for route in urlpatterns} - {""}
    assert routes == documented


@pytest.mark.django_db(transaction=True)
def test_the_first_coupon_is_had_and_redeemed_as_written(sandbox: Sandbox, account: DfireAccount, web: str) -> None:  # noqa: F811
    merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    template, api = published(merchant=merchant, reference="welcome-10"), caller_of("mini-program", merchant)
    with a_worker():
        said = run("api.md", "The first coupon", {"PORTAL": f"http://{web}", "KEY": api.key})
    coupon = IssuedCoupon.objects.get(template=template)
    assert (coupon.status, coupon.customer.identifier, coupon.customer.openid) == (
        "redeemed", "member-4711", "o3Pm6uD6KVkMine4711",
    )  # fmt: skip
    assert said.index('"delivery":"waiting"') < said.index('"usable":true') < said.index('"status":"redeemed"')
    assert said.count('"status":"redeemed"') == 2
    held = Dfire(sandbox).coupon(coupon.code)
    assert held is not None
    assert (held["status"], held["order_id"], held["verified"]) == ("used", "4711", 1)


@contextmanager
def a_worker() -> Iterator[None]:
    """Something that works the outbox all the time."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            engine.drain()
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
