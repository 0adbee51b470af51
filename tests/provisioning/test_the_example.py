"""The contract's example file makes everything it names, and a second run changes nothing at all."""

import ipaddress
from datetime import date
from typing import Any

import pytest
from django.conf import LazySettings

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import ApiKey, OutboxRow, PartnerApp, WebhookEndpoint
from integrations.partner_api.keys import found_by
from merchants.models import Customer, DfireAccount, Merchant, Shop, SmartCouponAccount
from tests.hooks.helpers import address_of, create_push, post
from tests.provisioning.helpers import EXAMPLE, SECRETS, dump, example, put

pytestmark = pytest.mark.django_db
NOTHING = ["nothing to change"]


def test_it_makes_everything_that_it_names(run: Any) -> None:
    lines = run(EXAMPLE.encode())
    assert lines == [
        "created dfire account main",
        "created merchant 88",
        "created shop 00026863 of merchant 88",
        "created smart-coupon account maxfun",
        "opened merchant 88 to smart-coupon account maxfun",
        "created customer customers[0] of merchant 88",
        "created coupon template summer-10 of merchant 88",
        "published coupon template summer-10 of merchant 88",
        "created partner app mini-program",
        "created API key of partner app mini-program",
        "created webhook partner_apps[0].webhooks[0] of partner app mini-program",
        "opened merchant 88 to partner app mini-program",
    ]
    account = DfireAccount.objects.get(name="main", base_url="http://127.0.0.1:9100/router", app_key="k")
    assert (account.app_secret, account.transfer_method) == ("s", "")
    assert (account.max_requests_per_second, account.max_concurrency, account.timeout_seconds) == (50, 16, 5)
    merchant = Merchant.objects.get(merchant_id="88", name="老王火锅", dfire_account=account)
    assert (merchant.entity_id, merchant.plate_entity_id) == ("99927548", "99927571")
    assert merchant.appid == "wxa0000000027822"
    assert Shop.objects.get().merchant == merchant
    platform = SmartCouponAccount.objects.get(name="maxfun", repeat_window_seconds=600, require_signature=False)
    assert list(platform.merchants.all()) == [merchant]
    customer = Customer.objects.get(identifier="13800138000")
    assert (customer.merchant, customer.mobile, customer.openid) == (merchant, "13800138000", "o3Pm6uD6KVk")
    template = CouponTemplate.objects.get(reference="summer-10")
    assert (template.merchant, template.title, template.kind) == (merchant, "满50减10", "cash")
    assert (template.amount_fen, template.min_spend_fen, template.stock) == (1000, 5000, 10000)
    assert (template.start_date, template.end_date) == (date(2026, 11, 1), date(2026, 12, 31))
    assert (template.valid_days, template.status) == (None, TemplateStatus.PUBLISHED)
    assert OutboxRow.objects.get().template == template
    app = PartnerApp.objects.get(name="mini-program")
    assert (list(app.merchants.all()), len(app.scopes)) == ([merchant], 5)
    assert ApiKey.objects.get().key_hash in found_by("ak-0123456789abcdef0123456789")
    webhook = WebhookEndpoint.objects.get()
    assert (webhook.app, webhook.url, webhook.events) == (app, "https://partner.example/hook", ["coupon.redeemed"])
    assert webhook.secret == "whsec_c2VjcmV0LW9mLXRoZS1ob29r"


def test_a_second_run_changes_nothing_in_any_table(run: Any) -> None:
    run(EXAMPLE.encode())
    before = dump()
    assert run(EXAMPLE.encode()) == NOTHING
    assert dump() == before


def test_the_platform_that_it_makes_can_push(run: Any) -> None:
    run(example())
    assert post(address_of(SmartCouponAccount.objects.get()), create_push()).status_code == 200


@pytest.mark.parametrize("document", [{}, {"customers": []}, {name: [] for name in example()}])
def test_nothing_named_is_nothing_to_change(run: Any, document: Any) -> None:
    run(example())
    before = dump()
    assert run(document) == NOTHING
    assert dump() == before


CHANGES = [
    ("dfire_accounts", "base_url", "https://dfire.example/router", DfireAccount),
    ("dfire_accounts", "app_key", "k2", DfireAccount),
    ("dfire_accounts", "app_secret", " s 2 ", DfireAccount),
    ("dfire_accounts", "transfer_method", "dfire.shop.transfer.promotion", DfireAccount),
    ("dfire_accounts", "max_requests_per_second", 0, DfireAccount),
    ("dfire_accounts", "max_concurrency", 1, DfireAccount),
    ("dfire_accounts", "timeout_seconds", 20, DfireAccount),
    ("merchants", "name", "新名字", Merchant),
    ("merchants", "entity_id", "1", Merchant),
    ("merchants", "plate_entity_id", "2", Merchant),
    ("merchants", "appid", "", Merchant),
    ("smart_coupon_accounts", "token", "new-token", SmartCouponAccount),
    ("smart_coupon_accounts", "developer_key", "dk", SmartCouponAccount),
    ("smart_coupon_accounts", "require_signature", True, SmartCouponAccount),
    ("smart_coupon_accounts", "allowed_addresses", ["10.0.0.0/8", "::1"], SmartCouponAccount),
    ("smart_coupon_accounts", "repeat_window_seconds", 0, SmartCouponAccount),
    ("smart_coupon_accounts", "confirm_with_dfire", True, SmartCouponAccount),
    ("smart_coupon_accounts", "consume_base_url", "https://max.example", SmartCouponAccount),
    ("smart_coupon_accounts", "app_id", "id", SmartCouponAccount),
    ("smart_coupon_accounts", "app_secret", "as", SmartCouponAccount),
    ("customers", "mobile", "13900139000", Customer),
    ("customers", "openid", "", Customer),
    ("coupon_templates", "title", "新", CouponTemplate),
    ("coupon_templates", "notice", "须知", CouponTemplate),
    ("coupon_templates", "amount_fen", 2000, CouponTemplate),
    ("coupon_templates", "min_spend_fen", 0, CouponTemplate),
    ("coupon_templates", "valid_days", 7, CouponTemplate),
    ("coupon_templates", "stock", None, CouponTemplate),
    ("coupon_templates", "use_weekdays", [1, 7], CouponTemplate),
    ("coupon_templates", "per_person_limit", 1, CouponTemplate),
    ("partner_apps", "scopes", ["coupons:read"], PartnerApp),
]
KEYS = {
    "dfire_accounts": ["name"],
    "merchants": ["merchant_id"],
    "smart_coupon_accounts": ["name"],
    "customers": ["merchant_id", "identifier"],
    "coupon_templates": ["merchant_id", "reference"],
    "partner_apps": ["name"],
}


@pytest.mark.parametrize(("section", "key", "value", "model"), CHANGES)
def test_one_key_changes_exactly_that(run: Any, section: str, key: str, value: Any, model: Any) -> None:
    document = example()
    run(document)
    before = model.objects.values().get()
    entry = {name: document[section][0][name] for name in KEYS[section]}
    lines = run({section: [{**entry, key: value}]})
    assert len(lines) == 1
    assert lines[0].startswith("changed ")
    assert lines[0].endswith(f": {key}")
    after = model.objects.values().get()
    assert after[key] == value
    assert {name for name in after if after[name] != before[name]} - {"token_hash"} == {key}
    assert run({section: [{**entry, key: value}]}) == NOTHING


@pytest.mark.parametrize("section", KEYS)
def test_an_entry_with_nothing_but_its_key_stays_as_it_is(run: Any, section: str) -> None:
    document = example()
    run(document)
    before = dump()
    assert run({section: [{name: document[section][0][name] for name in KEYS[section]}]}) == NOTHING
    assert dump() == before


def test_lists_inside_only_grow(run: Any) -> None:
    run(example())
    more = {
        "merchants": [
            {"merchant_id": "88", "shops": [{"entity_id": "00026864", "name": "二号店"}]},
            {"merchant_id": "99", "name": "第二家", "shops": [{"entity_id": "00026863", "name": "同号"}]},
        ],
        "smart_coupon_accounts": [{"name": "maxfun", "merchants": ["99"]}],
        "partner_apps": [
            {
                "name": "mini-program",
                "api_key": "second-key-0123456789abcdef",
                "merchants": [],
                "webhooks": [{"url": "https://partner.example/2", "secret": SECRETS[2], "events": ["coupon.issued"]}],
            }
        ],
    }
    assert len(run(more)) == 6
    assert Shop.objects.filter(merchant__merchant_id="88").count() == 2
    assert SmartCouponAccount.objects.get().merchants.count() == 2
    assert PartnerApp.objects.get().merchants.count() == 1
    assert (ApiKey.objects.count(), WebhookEndpoint.objects.count()) == (2, 2)
    assert run(more) == NOTHING
    assert run(example()) == NOTHING


def test_a_merchant_is_taken_off_its_account_by_null(run: Any) -> None:
    run(example())
    assert run({"merchants": [{"merchant_id": "88", "dfire_account": None}]}) == ["changed merchant 88: dfire_account"]
    assert Merchant.objects.get().dfire_account is None


def test_a_shop_and_a_webhook_change_by_single_keys_too(run: Any) -> None:
    run(example())
    webhook = {"url": "https://partner.example/hook", "events": ["coupon.issued"]}
    lines = run(
        {
            "merchants": [{"merchant_id": "88", "shops": [{"entity_id": "00026863", "name": "新店"}]}],
            "partner_apps": [{"name": "mini-program", "webhooks": [webhook]}],
        }
    )
    assert lines == [
        "changed shop 00026863 of merchant 88: name",
        "changed webhook partner_apps[0].webhooks[0] of partner app mini-program: events",
    ]
    assert WebhookEndpoint.objects.get().secret == "whsec_c2VjcmV0LW9mLXRoZS1ob29r"


def test_ids_may_come_as_numbers_and_with_blanks_around(run: Any) -> None:
    run(example())
    document = {
        "merchants": [{"merchant_id": 88, "shops": [{"entity_id": " 00026863 "}]}],
        "customers": [{"merchant_id": " 88", "identifier": 13800138000, "mobile": 13800138000}],
        "smart_coupon_accounts": [{"name": "maxfun ", "merchants": [88]}],
        "dfire_accounts": [{"name": " main", "max_concurrency": 16.0}],
    }
    assert run(document) == NOTHING


def test_a_new_entry_with_blanks_around_its_name_is_found_again(run: Any) -> None:
    document = {"merchants": [{"merchant_id": " 7 ", "name": " 七 "}]}
    assert run(document) == ["created merchant 7"]
    assert run(document) == NOTHING


def test_no_secret_and_no_mobile_is_printed(run: Any) -> None:
    said = "\n".join(run(example()) + run({"customers": [{**example()["customers"][0], "openid": ""}]}))
    assert not [secret for secret in SECRETS if secret in said]


def test_a_short_key_is_not_kept_readable(run: Any) -> None:
    run({"partner_apps": [{"name": "a", "api_key": "secret77"}]})
    assert len(ApiKey.objects.get().prefix) <= 2


def test_a_webhook_may_go_to_a_network_that_is_allowed(run: Any, settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    run(put(example(), ("partner_apps", 0, "webhooks", 0, "url"), "http://127.0.0.1:8123/hook"))
    assert WebhookEndpoint.objects.get().url == "http://127.0.0.1:8123/hook"
