"""docs/api.md lists every code that an answer can carry, and what it shows works as written."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.partner_api.errors import CONFLICTS, ApiCode, table
from integrations.partner_api.urls import urlpatterns
from tests.api.caller import Caller
from tests.documented import run
from tests.hooks.conftest import web  # noqa: F401

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
def test_the_first_coupon_is_had_as_written(api: Caller, template: CouponTemplate, web: str) -> None:  # noqa: F811
    said = run("api.md", "The first coupon", {"PORTAL": f"http://{web}", "KEY": api.key})
    coupon = IssuedCoupon.objects.get(template=template)
    assert (coupon.status, coupon.customer.identifier, coupon.customer.openid) == (
        "revoked", "member-4711", "o3Pm6uD6KVkMine4711",
    )  # fmt: skip
    assert said.index('"delivery":"waiting"') < said.index('"delivery":"queued"') < said.index('"status":"revoked"')
