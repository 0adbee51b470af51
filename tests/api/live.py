"""The whole portal as real processes, with what a partner's application finds there: templates, customers, a key."""

import json
from typing import Any

import requests

from integrations.models.partners import Scope
from tests.e2e.portal import HTTP_SECONDS, Portal, until

KEY = "cp_live_0123456789abcdef0123456789abcdef"
UNLIMITED = dict.fromkeys(
    ["API_RATE_LIMIT", "API_UNKNOWN_CODES_A_MINUTE", "API_UNKNOWN_CODES_IN_ALL", "API_WRONG_KEYS_A_MINUTE"], "0"
)
TERMS = {"merchant_id": "88", "start_date": "2026-01-01", "end_date": "2099-12-31", "publish": True}
TEMPLATES: list[dict[str, Any]] = [
    {**TERMS, "reference": "cash", "title": "满60减10元", "kind": "cash", "amount_fen": 1000, "min_spend_fen": 6000},
    {**TERMS, "reference": "percent", "title": "九折", "kind": "discount", "percent_paid": 90},
    {**TERMS, "reference": "few", "title": "限量券", "kind": "cash", "amount_fen": 100, "stock": 3},
    {**TERMS, "reference": "one-each", "title": "每人一张", "kind": "cash", "amount_fen": 100, "per_person_limit": 1},
    {**TERMS, "reference": "later", "title": "明年的券", "kind": "cash", "amount_fen": 100, "start_date": "2090-01-01"},
    {**TERMS, "reference": "draft", "title": "草稿", "kind": "cash", "amount_fen": 100, "publish": False},
]
CUSTOMERS = [
    {"merchant_id": "88", "identifier": f"m-{number}", "mobile": f"1390000000{number}", "openid": f"o-live-{number}"}
    for number in range(4)
]


class Partner:
    """A partner's application that may do everything for merchant 88."""

    def __init__(self, portal: Portal) -> None:
        self.url, self.portal = portal.url, portal
        app = {"name": "live", "api_key": KEY, "scopes": Scope.values, "merchants": ["88"]}
        document = {"coupon_templates": TEMPLATES, "customers": CUSTOMERS, "partner_apps": [app]}
        file = portal.folder / "partner.json"
        file.write_text(json.dumps(document))
        portal.manage("provision", str(file))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's body; anything but a success is an error."""
        headers = {"Authorization": f"Api-Key {KEY}", "Accept-Language": "en"}
        answer = requests.request(
            method, f"{self.url}/api/v1/{path}", json=body, headers=headers, timeout=HTTP_SECONDS
        )  # fmt: skip
        assert answer.ok, answer.text
        return answer.json()

    def template(self, reference: str) -> str:
        """The coupon id of a template."""
        rows = self.call("GET", "coupon-templates/?limit=200")["results"]
        return str(next(row["coupon_id"] for row in rows if row["reference"] == reference))

    def existing(self) -> dict[str, list[str]]:
        """Ids that are there, by the name of the field that takes them."""
        codes = [self.delivered(reference, f"m-{number}") for reference in ("cash", "percent") for number in range(3)]
        return {
            "merchant_id": ["88"],
            "coupon_id": [self.template(template["reference"]) for template in TEMPLATES],
            "code": codes,
            "identifier": [customer["identifier"] for customer in CUSTOMERS],
            "openid": [customer["openid"] for customer in CUSTOMERS],
            "mobile": [customer["mobile"] for customer in CUSTOMERS],
        }

    def delivered(self, reference: str = "cash", identifier: str = "m-0") -> str:
        """The code of a new coupon that dfire holds."""
        body = {"merchant_id": "88", "coupon_id": self.template(reference), "identifier": identifier}
        code = str(self.call("POST", "coupons/", body)["code"])
        until(lambda: self.call("GET", f"coupons/{code}/")["delivery"] == "delivered", seconds=30)
        return code
