"""The description says all that there is and nothing else, its examples are true, and it is committed as it is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override
from drf_spectacular.validation import validate_schema

from coupons.models import CouponTemplate
from coupons.validation import SENSIBLE_YEARS
from integrations.models.partners import WebhookEvent
from integrations.partner_api.errors import ApiCode, codes
from integrations.partner_api.schema.document import FILE, Generator, document, text
from integrations.partner_api.urls import urlpatterns
from integrations.partner_api.values import Moment
from tests.api.caller import Caller, issue_body
from tests.api.described import operations, problems, resolved, schema_of, undescribed

CALLS = [pytest.param(*call, id=f"{call[1]} {call[0]}") for call in operations()]
PARTS = document()["components"]


def test_it_is_openapi_3_1_and_committed() -> None:
    validate_schema(document())
    assert document()["openapi"].startswith("3.1.")
    assert (Path(settings.BASE_DIR) / FILE).read_text() == text(), "make openapi"


def test_it_is_english_whatever_language_is_active() -> None:
    with override("zh-hans"):
        assert Generator().get_schema() == document()


def test_every_call_is_in_it_and_nothing_else() -> None:
    there = {
        (re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)), method)
        for route in urlpatterns
        for method in route.callback.cls.scopes
    }
    assert {(path, method) for path, method, _operation in operations()} == there


def test_names_are_unique_and_everything_has_words() -> None:
    names = [operation["operationId"] for _path, _method, operation in operations()]
    assert len(names) == len(set(names))
    for name, schema in PARTS["schemas"].items():
        assert schema.get("description"), name
        for field, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"
    for path, method, operation in operations():
        assert operation["summary"], path
        assert operation["description"], path
        assert all(parameter["description"] for parameter in operation["parameters"]), (method, path)
        assert all(resolved(answer)["description"] for answer in operation["responses"].values()), (method, path)


@pytest.mark.parametrize(("path", "method", "operation"), CALLS)
def test_a_call_has_its_key_its_scope_and_the_idempotency_key(path: str, method: str, operation: Any) -> None:
    [route] = [r for r in urlpatterns if re.sub(r"<\w+:(\w+)>", r"{\1}", str(r.pattern)) == path]
    assert operation["security"] == [{"ApiKey": [route.callback.cls.scopes[method].value]}]
    headers = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"]
    assert headers == (["Idempotency-Key"] if method == "POST" else [])
    assert ("requestBody" in operation) == (method in ("POST", "PUT"))
    in_path = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"]
    assert in_path == re.findall(r"\{(\w+)\}", path)


def test_every_code_is_an_answer_somewhere_and_each_answer_has_known_codes() -> None:
    known = {code: status for code, status, _meaning in codes()}
    said: set[str] = set()
    for path, method, operation in operations():
        for status, answer in operation["responses"].items():
            if status >= "400":
                listed = schema_of(resolved(answer))["properties"]["errors"]["items"]["properties"]["code"]["enum"]
                assert {known[code] for code in listed} == {int(status)}, (method, path)
                assert list(resolved(answer)["content"]["application/json"]["examples"]) == listed
                said |= set(listed)
    assert set(known) - said == {ApiCode.WRONG_METHOD.code}  # the answer of every address to other methods
    assert set(PARTS["schemas"]["ErrorCode"]["enum"]) == set(known) == set(PARTS["examples"])


@pytest.mark.parametrize(("path", "method", "operation"), CALLS)
def test_examples_are_true(path: str, method: str, operation: Any) -> None:
    shown = list(_shown(operation))
    assert len(shown) > len(operation["responses"])
    for schema, value in shown:
        assert problems(schema, value) == [], value


def test_every_event_is_described_with_a_true_example() -> None:
    told = document()["webhooks"]
    assert list(told) == WebhookEvent.values
    for event, methods in told.items():
        assert list(methods) == ["post"]
        content = methods["post"]["requestBody"]["content"]["application/json"]
        value = content["examples"]["Event"]["value"]
        assert (value["type"], problems(content["schema"], value)) == (event, [])
        assert problems(content["schema"], {**value, "data": {}}) != []


def _shown(operation: Any) -> Iterator[tuple[Any, Any]]:
    for parameter in operation["parameters"]:
        yield from ((parameter["schema"], shown["value"]) for shown in parameter.get("examples", {}).values())
    for part in (operation.get("requestBody"), *map(resolved, operation["responses"].values())):
        if part is not None:
            shown = part["content"]["application/json"]["examples"].values()
            assert shown, part
            yield from ((schema_of(part), resolved(example)["value"]) for example in shown)


@pytest.mark.django_db
def test_answers_have_the_fields_that_are_described(api: Caller, template: CouponTemplate) -> None:
    coupon = api.post("coupons/", issue_body(template.coupon_id)).json()
    calls: list[tuple[str, str, Any]] = [
        ("GET", "coupon-templates/", None),
        ("GET", f"coupon-templates/{template.coupon_id}/", None),
        ("GET", "coupons/?limit=1", None),
        ("GET", f"coupons/{coupon['code']}/", None),
        ("POST", f"coupons/{coupon['code']}/check/", {"amount_fen": 1, "channel": "take_away"}),
        ("PUT", "customers/m-1/", {"merchant_id": "88"}),
        ("POST", f"coupons/{coupon['code']}/revoke/", {"reason": "x"}),
    ]
    for method, path, body in calls:
        answer = api.send(method, path, body)
        assert answer.status_code == 200, answer.content
        assert undescribed(method, path, 200, answer.json()) == []
    forms = {
        "Coupon": coupon,
        "CouponTemplate": api.get(f"coupon-templates/{template.coupon_id}/").json(),
        "CouponPage": api.get("coupons/").json(),
        "Judgement": (judged := api.post(f"coupons/{coupon['code']}/check/", {"amount_fen": 1}).json()),
        "Rule": judged["rules"][0],
        "Why": judged["reasons"][0],
        "Customer": api.put("customers/m-1/", {"merchant_id": "88"}).json(),
    }
    for name, answer in forms.items():
        assert list(answer) == list(PARTS["schemas"][name]["properties"]), name


def test_years_are_the_domains() -> None:
    for year in (SENSIBLE_YEARS.start - 1, SENSIBLE_YEARS.start, SENSIBLE_YEARS.stop - 1, SENSIBLE_YEARS.stop):
        assert bool(re.match(Moment.pattern, f"{year}-")) == (year in SENSIBLE_YEARS)


def test_anybody_may_read_it_in_yaml_or_json() -> None:
    answer = Client().get("/api/schema/", headers={"accept-language": "zh-hans"})
    assert answer.status_code == 200
    assert answer.content.decode() == text()
    assert Client().get("/api/schema/?format=json").json()["info"] == document()["info"]


def test_the_page_names_no_other_machine() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
