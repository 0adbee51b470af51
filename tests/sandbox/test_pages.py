"""The pages for people: language, safety, and who may see and drive them."""

import pytest
import requests

from tests.sandbox.caller import Caller

PAGES = ("/", "/till", "/platform", "/promotions", "/faults")


@pytest.mark.parametrize("path", PAGES)
def test_page_is_complete_without_anything_from_elsewhere(stocked, path):
    response = stocked.session.get(stocked.url + path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in response.text
    assert " style=" not in response.text
    assert " onclick=" not in response.text
    assert "//" not in response.text.replace(stocked_portal(response.text), "")


def stocked_portal(page: str) -> str:
    """The portal's address is the one link that leaves the sandbox."""
    start = page.find("http://127.0.0.1")
    return page[start : page.index('"', start)].rstrip("/") if start >= 0 else "-"


@pytest.mark.parametrize("name", ["sandbox.css", "scan.js", "push.js", "icon.svg"])
def test_asset_is_served_by_the_sandbox(till, name):
    response = till.session.get(f"{till.url}/assets/{name}")
    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "nothing.css", ""])
def test_nothing_but_assets_is_served(till, name):
    assert till.session.get(f"{till.url}/assets/{name}").status_code == 404


def test_language_is_chinese_until_it_is_switched_and_then_remembered(till):
    assert '<html lang="zh-CN">' in till.session.get(f"{till.url}/").text
    assert '<html lang="en">' in till.session.get(f"{till.url}/?lang=en").text
    assert '<html lang="en">' in till.session.get(f"{till.url}/till").text
    assert '<html lang="zh-CN">' in till.session.get(f"{till.url}/?lang=zh-hans").text
    assert '<html lang="zh-CN">' in till.session.get(f"{till.url}/?lang=xx").text


def test_overview_shows_what_was_called_and_what_came_of_it(stocked):
    stocked.deliver("9001")
    page = stocked.session.get(f"{stocked.url}/?lang=en").text
    assert "deliver.promotion" in page
    assert "refused 004" in page


def test_promotion_shows_its_terms_and_its_coupons(stocked):
    page = stocked.session.get(f"{stocked.url}/promotions?promotion_id=4821907735&lang=en").text
    assert "¥10 off" in page
    assert "9001" in page
    assert stocked.session.get(f"{stocked.url}/promotions?promotion_id=1").status_code == 200


@pytest.mark.parametrize(
    ("mode", "rules", "words"),
    [
        ({"modeType": "1", "discount": 85}, {}, "pay 85%"),
        ({"modeType": "4", "saleMoney": 2800}, {"menuIds": "1"}, "dish for ¥28"),
        ({"modeType": "2", "saveMoney": 1000}, {"minPayMoney": 5050}, "¥10 off · from ¥50.5"),
    ],
)
def test_benefit_is_told_in_words(till, mode, rules, words):
    till.save(modeList=mode, ruleList=rules, promotionType="5" if rules.get("menuIds") else "1")
    assert words in till.session.get(f"{till.url}/promotions?lang=en").text


def test_faults_are_added_by_preset_and_by_form_and_removed(till):
    def send(path: str, **form: str) -> str:
        return till.session.post(till.url + path, data=form, headers={"Origin": till.url}).url

    send("/faults/add", preset="busy")
    send("/faults/add", method="*", fault="latency", percent="50", times="3", latency_ms="5")
    first, second = till.control("GET", "faults")["rules"]
    assert first["fault"] == "busy"
    assert (second["probability"], second["times"], second["latency_ms"]) == (0.5, 3, 5)
    assert "refused=" in send("/faults/add", fault="latency", percent="lots")
    assert "refused=" in send("/faults/add", fault="explode")
    send("/faults/remove", id=str(first["id"]))
    assert [rule["fault"] for rule in till.control("GET", "faults")["rules"]] == ["latency"]
    send("/faults/clear")
    assert till.control("GET", "faults")["rules"] == []


def test_form_must_come_from_the_sandboxs_own_page(stocked):
    address, form = f"{stocked.url}/till/redeem", {"code": "9001"}
    for headers in (
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Referer": "http://evil.example/"},
        {"Origin": "http://evil.example", "Referer": stocked.url},
    ):
        assert stocked.session.post(address, data=form, headers=headers).status_code == 403, headers
    assert stocked.coupon("9001")["status"] == "held"
    stocked.session.post(address, data=form, headers={"Referer": f"{stocked.url}/till"})
    assert stocked.coupon("9001")["status"] == "used"


def test_control_api_takes_scripts_and_refuses_pages_of_other_sites(till):
    body = {"rules": [{"fault": "busy"}]}
    refused = till.session.post(f"{till.url}/control/faults", json=body, headers={"Origin": "http://evil.example"})
    assert refused.status_code == 403
    assert till.control("POST", "faults", body)["rules"][0]["fault"] == "busy"


@pytest.mark.parametrize("path", ["/", "/control/ledger"])
def test_name_that_points_here_from_elsewhere_is_refused(till, path):
    port = till.url.rsplit(":", 1)[1]
    assert till.session.get(till.url + path, headers={"Host": f"evil.example:{port}"}).status_code == 403
    assert till.session.get(till.url + path, headers={"Host": f"localhost:{port}"}).status_code == 200


def test_only_the_gateway_answers_other_machines(sandbox):
    from integrations.sandbox.wire import Request

    def ask(method: str, path: str, client: str) -> int:
        host = {"host": "127.0.0.1:9100"}
        return sandbox.app.answer(Request(method, path, {}, host, b"", client)).status

    assert ask("POST", "/router", "10.1.2.3") == 200
    for path in ("/", "/till", "/control/ledger"):
        assert ask("GET", path, "10.1.2.3") == 403
        assert ask("GET", path, "127.0.0.1") == 200
        assert ask("GET", path, "::ffff:127.0.0.1") == 200


def test_broken_configuration_is_told_on_the_page_without_its_content(till, config_path):
    config_path.write_text('{"accounts": [{"app_key": "k", "app_secret": "hush"')
    page = till.session.get(f"{till.url}/?lang=en").text
    assert "config.json" in page
    assert "hush" not in page


def test_caller_without_a_platform_account_sees_an_empty_page(config_path, start):
    config_path.write_text("{}")
    caller = Caller(start().url)
    assert requests.get(f"{caller.url}/platform", timeout=5).status_code == 200
