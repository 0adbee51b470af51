"""A caller of the sandbox's gateway, signing on its own (test_gateway checks that by vectors)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

APP_KEY, SECRET = "till-key", "till-secret"
PREFIX = "dfire.shop."
ENTITY = {"entityId": "99927548", "plateEntityId": "99927571", "appid": "wxa0000000027822"}
PROMOTION = "4821907735"


def sign(params: dict[str, str], secret: str) -> str:
    pairs = "".join(f"{name}{value}" for name, value in sorted(params.items()) if name != "sign")
    return hashlib.sha1(f"{secret}{pairs}{secret}".encode()).hexdigest().upper()


def shanghai_day(offset: int = 0) -> str:
    """A day in dfire's form, counted from today in Shanghai."""
    return (datetime.now(UTC) + timedelta(hours=8, days=offset)).strftime("%Y%m%d")


def now_ms() -> int:
    return int(time.time() * 1000)


def wait_for(condition: Callable[[], object], seconds: float = 6.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def literal(model: str) -> str:
    """The seed document's printed answer to save, verify and delete, with its own blank line."""
    return f"""{{
  "success": true,

  "model": [
    {{
      {model}
    }}
  ],
  "totalRecord": 0
}}"""


DONE = literal("true")


class Caller:
    """One account at the gateway, and the control API beside it."""

    def __init__(self, url: str, *, app_key: str = APP_KEY, secret: str = SECRET) -> None:
        self.url = url
        self.app_key = app_key
        self.secret = secret
        self.session = requests.Session()
        self.session.trust_env = False

    def params(self, method: str, /, **given: Any) -> dict[str, str]:
        """Signed parameters; None leaves one out."""
        params = {
            **ENTITY,
            "appKey": self.app_key,
            "timestamp": str(now_ms()),
            "v": "1.0",
            "method": PREFIX + method,
            **given,
        }
        params = {name: str(value) for name, value in params.items() if value is not None}
        return {**params, "sign": sign(params, self.secret)}

    def post(self, params: dict[str, str] | bytes) -> requests.Response:
        return self.session.post(f"{self.url}/router", data=params, timeout=10)

    def text(self, method: str, /, **given: Any) -> str:
        """The body of the answer as it came."""
        response = self.post(self.params(method, **given))
        assert response.status_code == 200
        return response.text

    def json(self, method: str, /, **given: Any) -> Any:
        return json.loads(self.text(method, **given))

    def control(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        response = self.session.request(verb, f"{self.url}/control/{path}", json=body, params=query, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()

    def fault(self, fault: str, method: str = "*", **more: Any) -> None:
        self.control("POST", "faults", {"rules": [{"method": method, "fault": fault, **more}]})

    def save(self, promotion_id: str = PROMOTION, **changed: Any) -> str:
        return self.text("save.promotion", **promotion(promotionId=promotion_id, **changed))

    def deliver(self, code: str, promotion_id: str = PROMOTION, openid: str = "openid-1", **more: Any) -> Any:
        return self.json(
            "deliver.promotion",
            **{
                "promotionId": promotion_id,
                "openid": openid,
                "mobile": "13800138000",
                "thirdDeliverCode": code,
                **more,
            },
        )

    def verify(self, code: str, promotion_id: str = PROMOTION, openid: str = "openid-1", **more: Any) -> str:
        order = {
            "orderId": "20170601001",
            "orderDate": shanghai_day(),
            "needFee": "4000",
            "savedFee": "1000",
        }
        return self.text(
            "verify.promotion",
            **{
                "promotionId": promotion_id,
                "openid": openid,
                "thirdDeliverCode": code,
                **order,
                **more,
            },
        )

    def withdraw(self, code: str, openid: str = "openid-1", **more: Any) -> str:
        return self.text(
            "delete.customer.promotion",
            **{
                "promotionId": PROMOTION,
                "openid": openid,
                "mobile": "13800138000",
                "thirdDeliverCode": code,
                **more,
            },
        )

    def transfer(self, code: str, giver: str, receiver: str, method: str = "transfer.promotion") -> str:
        return self.text(
            method,
            promotionId=PROMOTION,
            fromOpenid=giver,
            toOpenid=receiver,
            mobile="13900139000",
            thirdDeliverCode=code,
        )

    def held(self, openid: str = "openid-1", **more: Any) -> dict[str, int | None]:
        """The codes in a customer's list with their status (None = held)."""
        answer = self.json("customer.query.promotion", **{"openid": openid, "currDate": shanghai_day(), **more})
        return {entry["thirdDeliverCode"]: entry.get("status") for entry in answer["model"]}

    def coupon(self, code: str) -> Any:
        """The ledger's row of a code, None when it has none."""
        return next(iter(self.control("GET", "ledger", code=code)["coupons"]), None)

    def redeem(self, code: str, **more: Any) -> Any:
        return self.control("POST", "redeem", {"code": code, **more})


def promotion(**changed: Any) -> dict[str, Any]:
    """Good parameters of save.promotion, with changes; dicts become JSON."""
    given = {
        "promotionId": PROMOTION,
        "cardType": "GENERAL_COUPON",
        "title": "满50减10元现金券",
        "startTime": shanghai_day(-1),
        "endTime": shanghai_day(30),
        "modeList": {"modeType": "2", "saveMoney": 1000},
        "ruleList": {"minPayMoney": 5000},
        "totalNum": "100",
        "dynamicDate": "",
        "useRangeTypes": "",
        **changed,
    }
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in given.items()}
