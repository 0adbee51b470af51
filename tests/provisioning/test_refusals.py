"""Anything wrong refuses the whole file: every error named by its path, nothing stored, no secret repeated."""

from typing import Any

import pytest

from tests.provisioning.helpers import SECRETS, dump, example, put

pytestmark = pytest.mark.django_db

TEMPLATE = ("coupon_templates", 0)
PLATFORM = ("smart_coupon_accounts", 0)
ACCOUNT = ("dfire_accounts", 0)
APP = ("partner_apps", 0)
LONG = "x" * 10_000
NO_TARGETS = ["https://u:p@partner.example/", "http://partner.example/", "https://10.0.0.1/", "https://2130706433/"]

WRONG: list[tuple[tuple[str | int, ...], list[Any]]] = [
    ((*ACCOUNT, "name"), [None, "", " ", True, [], {}, 1.5, 5, "x" * 101]),
    ((*ACCOUNT, "base_url"), [None, "", "x", "ftp://x", "http://", "http://a b", "//x", 5, LONG, "http://[::1"]),
    ((*ACCOUNT, "app_key"), [None, "", [], "x" * 101]),
    ((*ACCOUNT, "app_secret"), [None, "", 5, LONG]),
    ((*ACCOUNT, "transfer_method"), [None, 5, "x" * 101]),
    ((*ACCOUNT, "max_requests_per_second"), [None, -1, 0.5, "50", True, 2**31, 10**400, [], "x"]),
    ((*ACCOUNT, "max_concurrency"), [None, 0, 501, "16", False, 2**31]),
    ((*ACCOUNT, "timeout_seconds"), [None, 0, 21, "5", 1e30, -0.5]),
    (("merchants", 0, "merchant_id"), [None, "", [], {}, True, 1.5, "x" * 65, 10**4000]),
    (("merchants", 0, "name"), [None, "", 5, "x" * 101]),
    (("merchants", 0, "dfire_account"), ["", "another", 5, [], True]),
    (("merchants", 0, "appid"), [None, 5, "x" * 65]),
    (("merchants", 0, "shops"), [None, {}, "x", 5]),
    (("merchants", 0, "shops", 0), [None, [], "x", {}]),
    (("merchants", 0, "shops", 0, "entity_id"), [None, "", True, "x" * 65]),
    (("merchants", 0, "shops", 0, "name"), [None, "", 7]),
    ((*PLATFORM, "token"), [None, "", "a b", "a/b", "券", "x" * 201, 5]),
    ((*PLATFORM, "merchants"), [None, "88", {}, ["99"], [None], [[]], [True], [1.5]]),
    ((*PLATFORM, "developer_key"), [None, 5, "x" * 501]),
    ((*PLATFORM, "require_signature"), [None, "true", "no", 0, 1, []]),
    ((*PLATFORM, "allowed_addresses"), [None, "10.0.0.1", ["x"], ["10.0.0.0/33"], [1], [None], [""]]),
    ((*PLATFORM, "repeat_window_seconds"), [None, -1, "600", 1.5, 10**12]),
    ((*PLATFORM, "consume_base_url"), [None, "x", "ftp://x"]),
    (("customers", 0, "merchant_id"), [None, "", "99", True]),
    (("customers", 0, "identifier"), [None, "", [], "x" * 129]),
    (
        ("customers", 0, "mobile"),
        [None, "1380013800", "23800138000", "138001380000", "１３８００１３８０００", []],
    ),
    (("customers", 0, "openid"), [None, 5, "x" * 129]),
    ((*TEMPLATE, "merchant_id"), [None, "99"]),
    ((*TEMPLATE, "reference"), [None, "", "x" * 101]),
    ((*TEMPLATE, "title"), [None, "", " ", 5, "x" * 101]),
    ((*TEMPLATE, "kind"), [None, "", "Cash", "gift", 1, [], {}, True]),
    ((*TEMPLATE, "amount_fen"), [None, 0, -100, 1050, 99, 10_000_100, "1000", 1000.5, True, 10**30]),
    ((*TEMPLATE, "percent_paid"), [90, 0, 100, "90"]),
    ((*TEMPLATE, "min_spend_fen"), [None, -1, 10_000_001, "0"]),
    ((*TEMPLATE, "menu_ids"), [None, ["1"], "1", [""], [None]]),
    (
        (*TEMPLATE, "start_date"),
        [None, "", "2026-02-30", "20261101", "2026-11-1", 20261101, "２０２６-11-01"],
    ),
    (
        (*TEMPLATE, "end_date"),
        [None, "2026-10-31", "0000-01-01", "0001-01-01", "9999-12-31", "2026-12-31T00:00", []],
    ),
    ((*TEMPLATE, "valid_days"), [0, -1, 3651, 1.5, "7", True]),
    ((*TEMPLATE, "stock"), [-1, 1.5, "10000", 2**31]),
    ((*TEMPLATE, "use_weekdays"), [None, [0], [8], ["1"], "1", [True], [None]]),
    (
        (*TEMPLATE, "use_times"),
        [None, ["x"], ["11:00"], ["14:00-11:00"], ["11:00-24:00"], [5], ["٠١:00-02:00"]],
    ),
    ((*TEMPLATE, "use_dates"), [None, ["2026-13-01"], ["2026-12-26/2026-12-24"], ["2026.12.24"], [{}]]),
    ((*TEMPLATE, "blackout_dates"), [None, ["2026-12-24/"], ["x" * 31]]),
    ((*TEMPLATE, "channels"), [None, ["dine-in"], "dine_in", [0]]),
    ((*TEMPLATE, "per_person_limit"), [0, -1, "1"]),
    ((*TEMPLATE, "publish"), [None, "true", 1, "yes"]),
    ((*APP, "api_key"), [None, "", 5, "x" * 201]),
    ((*APP, "scopes"), [None, "coupons:read", ["coupons:eat"], [None], {}]),
    ((*APP, "merchants"), [None, ["99"], [[]]]),
    ((*APP, "webhooks"), [None, {}, "x"]),
    ((*APP, "webhooks", 0), [None, [], {}]),
    ((*APP, "webhooks", 0, "url"), [None, "", "x", "ftp://x", *NO_TARGETS]),
    ((*APP, "webhooks", 0, "secret"), [None, "", 5, "x", "whsec_", "whsec_é"]),
    ((*APP, "webhooks", 0, "events"), [None, [], ["coupon.eaten"], "coupon.redeemed"]),
]


def written(path: tuple[str | int, ...]) -> str:
    """`merchants[0].shops[0].name`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


@pytest.mark.parametrize(("path", "values"), WRONG, ids=lambda x: written(x) if isinstance(x, tuple) else "")
def test_a_wrong_value_is_named_by_its_path(refuse: Any, path: tuple[str | int, ...], values: list[Any]) -> None:
    for value in values:
        errors = refuse(put(example(), path, value))
        assert any(error.startswith(written(path)) for error in errors), (value, errors)
        assert "nothing has been changed" in errors[0]
        assert not [secret for secret in SECRETS if any(secret in error for error in errors)]


@pytest.mark.parametrize("section", example())
@pytest.mark.parametrize("value", [None, {}, "x", 5, True, [None], [5], ["x"], [[]]])
def test_a_section_that_is_no_list_of_objects_is_named(refuse: Any, section: str, value: Any) -> None:
    errors = refuse({section: value})
    assert any(error.startswith(section) for error in errors), errors


@pytest.mark.parametrize("section", example())
def test_keys_that_a_new_entry_needs_are_named_all_at_once(refuse: Any, section: str) -> None:
    document = {**example(), section: [{"unknown": 1}]}
    errors = "\n".join(refuse(document))
    needed = {
        "dfire_accounts": ["name", "base_url", "app_key", "app_secret"],
        "merchants": ["merchant_id", "name"],
        "smart_coupon_accounts": ["name", "token"],
        "customers": ["merchant_id", "identifier"],
        "coupon_templates": ["merchant_id", "reference", "title", "kind", "start_date", "end_date"],
        "partner_apps": ["name"],
    }[section]
    for key in [*needed, "unknown"]:
        assert f"{section}[0].{key}: " in errors


@pytest.mark.parametrize(
    "path",
    [
        ("typo",),
        *[(name, 0, "typo") for name in example()],
        ("merchants", 0, "shops", 0, "typo"),
        (*APP, "webhooks", 0, "typo"),
    ],
)
def test_a_key_that_is_not_known_is_named(refuse: Any, path: tuple[str | int, ...]) -> None:
    errors = refuse(put(example(), path, "x"))
    assert len(errors) == 2
    assert errors[1].startswith(f"{written(path)}: ")
    assert "not known" in errors[1]


def test_errors_in_many_places_are_named_together(refuse: Any) -> None:
    document = example()
    document["dfire_accounts"].append({"name": "second", "base_url": "x", "max_concurrency": 0})
    document["merchants"][0]["shops"] += [{"entity_id": "2"}, {"name": "x"}, {"entity_id": "3", "name": 5}]
    document["merchants"].append({"merchant_id": "99", "name": "", "dfire_account": "nowhere", "shops": [{"x": 1}]})
    document["smart_coupon_accounts"][0].update(token="a b", merchants=["77"])
    document["customers"].append({"merchant_id": "66", "identifier": "1", "mobile": "12"})
    document["coupon_templates"].append({"merchant_id": "55", "reference": "r", "kind": "x"})
    document["partner_apps"][0].update(scopes=["x"], merchants=["44"], webhooks=[{"url": "x"}, 5])
    document["partner_app"] = []
    errors = "\n".join(refuse(document))
    for place in [
        *["dfire_accounts[1].base_url", "dfire_accounts[1].max_concurrency", "dfire_accounts[1].app_key"],
        *["merchants[0].shops[1].name", "merchants[0].shops[2].entity_id", "merchants[0].shops[3].name"],
        *["merchants[1].name", "merchants[1].dfire_account", "merchants[1].shops[0].entity_id"],
        *["smart_coupon_accounts[0].merchants", "customers[1].merchant_id", "coupon_templates[1].title"],
        *["coupon_templates[1].merchant_id", "coupon_templates[1].kind", "partner_apps[0].scopes[0]"],
        *["partner_apps[0].merchants", "partner_apps[0].webhooks[0].url", "partner_apps[0].webhooks[1]", "partner_app"],
    ]:
        assert f"{place}: " in errors, (place, errors)


@pytest.mark.parametrize(
    "path",
    [*[(name,) for name in example()], ("merchants", 0, "shops"), (*APP, "webhooks")],
    ids=written,
)
def test_an_entry_named_twice_is_refused(refuse: Any, path: tuple[str | int, ...]) -> None:
    document = example()
    entries = document
    for key in path:
        entries = entries[key]
    entries.append(entries[0])
    errors = refuse(document)
    assert any(error.startswith(f"{written(path)}[1]: has the same ") for error in errors), errors


def test_what_another_entry_has_is_refused(run: Any, refuse: Any) -> None:
    run(example())
    for section, change, place in [
        ("dfire_accounts", {"name": "b", "app_key": "k"}, "dfire_accounts[0].app_key"),
        ("smart_coupon_accounts", {"name": "b"}, "smart_coupon_accounts[0].token"),
        ("customers", {"identifier": "b"}, "customers[0]"),
        ("partner_apps", {"name": "b"}, "partner_apps[0].api_key"),
    ]:
        errors = refuse({section: [{**example()[section][0], **change}]})
        assert errors[1].startswith(f"{place}: "), errors


def test_a_merchant_at_dfire_needs_its_ids(refuse: Any) -> None:
    errors = refuse(put(example(), ("merchants", 0, "plate_entity_id"), ""))
    assert errors[1].startswith("merchants[0]: ")


def test_one_error_undoes_every_other_change(run: Any, refuse: Any) -> None:
    run(example())
    before = dump()
    document = put(put(example(), (*TEMPLATE, "title"), "新"), ("customers", 0, "openid"), "new")
    refuse(put(document, (*APP, "webhooks", 0, "url"), "x"))
    assert dump() == before
