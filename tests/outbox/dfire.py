"""The sandbox as the tests see it, through its control API: what to do wrong, what it holds, what it was asked."""

from typing import Any

import requests

from integrations.sandbox.server import Sandbox

DELIVER = "dfire.shop.deliver.promotion"
SAVE = "dfire.shop.save.promotion"
WITHDRAW = "dfire.shop.delete.customer.promotion"
DELETE = "dfire.shop.delete.promotion"
ASK_CUSTOMER = "dfire.shop.customer.query.promotion"
ASK_PROMOTIONS = "dfire.shop.query.promotion"


class Dfire:
    """dfire on the other side of the wire."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def fault(self, method: str, fault: str, *, times: int | None = 1, **options: Any) -> None:
        """Misbehave so at the next calls of the method, and no other way."""
        rule = {"method": method, "fault": fault, "times": times, **options}
        self._call("POST", "faults", json={"rules": [rule]})

    def behave(self) -> None:
        """No more faults."""
        self._call("DELETE", "faults")

    def coupon(self, code: str) -> dict[str, Any] | None:
        """The ledger's row of a code."""
        rows = self._call("GET", "ledger", params={"code": code})["coupons"]
        return rows[0] if rows else None

    def totals(self) -> dict[str, int]:
        """The ledger's sums; `delivered_twice` must stay 0."""
        totals: dict[str, int] = self._call("GET", "ledger")["totals"]
        return totals

    def promotion(self, promotion_id: str) -> dict[str, Any] | None:
        """The ledger's row of a promotion."""
        rows = self._call("GET", "ledger", params={"promotion_id": promotion_id})["promotions"]
        return rows[0] if rows else None

    def calls(self, method: str = "") -> list[dict[str, str]]:
        """The parameters of the calls so far, the oldest first."""
        found = self._call("GET", "requests", params={"method": method, "limit": "10000"})["requests"]
        return [call["params"] for call in reversed(found)]

    def methods(self) -> list[str]:
        """The calls so far by method, the oldest first."""
        return [call["method"] for call in self.calls()]

    def limits(self, app_key: str) -> dict[str, int]:
        """How hard the account called."""
        found: dict[str, int] = self._call("GET", "limits")["accounts"][app_key]
        return found

    def forget_limits(self) -> None:
        """Measure anew."""
        self.sandbox.app.limits.reset()

    def redeem(self, code: str) -> None:
        """A cashier redeems it; no callback comes."""
        answer = self._call("POST", "redeem", json={"code": code, "notify": False, "override": True})
        assert answer["redeemed"], answer

    def sell_out(self) -> None:
        """From now on deliveries are answered `success` with `deliverSuccess` false."""
        with self.sandbox.app.store.locked() as db:
            db.execute("UPDATE promotions SET total_num = 0")

    def lose(self, code: str) -> None:
        """The ledger never heard of the code."""
        with self.sandbox.app.store.locked() as db:
            db.execute("DELETE FROM coupons WHERE code = ?", [code])

    def _call(self, http_method: str, path: str, **options: Any) -> Any:
        answer = requests.request(http_method, f"{self.sandbox.url}/control/{path}", timeout=10, **options)
        answer.raise_for_status()
        return answer.json()
