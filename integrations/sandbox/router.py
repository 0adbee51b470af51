"""`POST /router`: the gateway in front of the tills. Authenticates, dispatches, misbehaves on order, logs.

Gateway refusals come before the service is asked and have their own shape. Codes: 22-30 for key, signature,
method and version, 38 and 39 for the timestamp.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from integrations.sandbox import answers, coupons, issuing, misbehaviour, promotions
from integrations.sandbox.answers import GatewayError, Refused
from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import Config, ConfigFile
from integrations.sandbox.faults import Faults, Verdict
from integrations.sandbox.limits import Limits
from integrations.sandbox.signing import dfire_signed_rightly
from integrations.sandbox.store import Store
from integrations.sandbox.wire import BadRequest, Ending, Request, Response, number

CLOCK_WINDOW_MS = 10 * 60 * 1000
VERSION = "1.0"
UNKNOWN_CALLER = "(unknown)"
KEPT_ANSWER_CHARACTERS = 2_000

Service = Callable[[Store, str, Mapping[str, str]], str]

QUERY = "dfire.shop.query.promotion"
DELIVER = "dfire.shop.deliver.promotion"
CUSTOMER_QUERY = "dfire.shop.customer.query.promotion"
SAVE = "dfire.shop.save.promotion"
VERIFY = "dfire.shop.verify.promotion"
DELETE = "dfire.shop.delete.promotion"
WITHDRAW = "dfire.shop.delete.customer.promotion"

SERVICES: dict[str, Service] = {
    QUERY: promotions.query,
    DELIVER: issuing.deliver,
    CUSTOMER_QUERY: coupons.list_for_customer,
    SAVE: promotions.save,
    VERIFY: coupons.verify,
    DELETE: promotions.delete,
    WITHDRAW: coupons.withdraw,
}


class Router:
    """Answers router calls from the store."""

    def __init__(self, *, config: ConfigFile, store: Store, faults: Faults, limits: Limits) -> None:
        self.config = config
        self.store = store
        self.faults = faults
        self.limits = limits

    def handle(self, request: Request) -> Response:
        """One call, from its body to its answer."""
        started = time.perf_counter()
        try:
            params = request.form()
        except BadRequest as error:
            return Response(answers.gateway_error(GatewayError("6", str(error))).encode())
        method, app_key = params.get("method", ""), params.get("appKey", "")
        config = self.config.current()
        with self.limits.measured(app_key if config.account(app_key) else UNKNOWN_CALLER):
            verdict = self.faults.pick(method, params)
            _wait(verdict.delay_before_ms)
            response = misbehaviour.before_acting(verdict)
            if response is not None:
                outcome, shown = verdict.kind, response.body
            else:
                outcome, text = self._answer(config, params)
                shown = text.encode()
                response = misbehaviour.after_acting(verdict, shown)
            _wait(verdict.delay_after_ms)
        self._log(params, verdict, outcome, shown, response, (time.perf_counter() - started) * 1000)
        return response

    def _answer(self, config: Config, params: dict[str, str]) -> tuple[str, str]:
        """The outcome for the log, and the body."""
        try:
            service = _authenticate(config, params)
            return "ok", service(self.store, params["appKey"], params)
        except GatewayError as error:
            return f"gateway {error.code}", answers.gateway_error(error)
        except Refused as refusal:
            return f"refused {refusal.code}", answers.refused(refusal.code, refusal.message)

    def _log(
        self,
        params: dict[str, str],
        verdict: Verdict,
        outcome: str,
        shown: bytes,
        response: Response,
        milliseconds: float,
    ) -> None:
        answer = shown.decode(errors="replace")
        if response.ending is not Ending.WHOLE:
            answer = f"[{response.ending.value}] {answer}"
        kept: dict[str, Any] = {name: value for name, value in params.items() if name != "sign"}
        self.store.log_request(
            (
                now_ms(),
                params.get("method", ""),
                params.get("thirdDeliverCode", "").strip(),
                params.get("appKey", ""),
                answers.compact(kept),
                verdict.label,
                outcome,
                answer[:KEPT_ANSWER_CHARACTERS],
                milliseconds,
            )
        )


def _authenticate(config: Config, params: Mapping[str, str]) -> Service:
    """The service that is called, once key, signature, clock and version have passed; raises GatewayError."""
    account = config.account(_system(params, "appKey", "22"))
    if account is None:
        raise GatewayError("23", "无效的appKey参数")
    _system(params, "sign", "24")
    method = _system(params, "method", "26")
    version = _system(params, "v", "28")
    timestamp = _system(params, "timestamp", "38")
    if not dfire_signed_rightly(params, account.app_secret):
        raise GatewayError("25", "无效签名", "请检查签名算法和密钥")
    if version != VERSION:
        raise GatewayError("29", "无效的版本参数")
    sent_at = number(timestamp)
    if sent_at is None or abs(sent_at - now_ms()) > CLOCK_WINDOW_MS:
        raise GatewayError("39", "时间戳无效,与服务器时间相差超过10分钟", "请校准服务器时钟")
    service = coupons.transfer if method == config.transfer_method else SERVICES.get(method)
    if service is None:
        raise GatewayError("27", "不存在的方法名")
    return service


def _wait(milliseconds: int) -> None:
    # Even a sleep of zero gives the processor away, and most calls have nothing to wait for.
    if milliseconds:
        time.sleep(milliseconds / 1000)


def _system(params: Mapping[str, str], name: str, missing_code: str) -> str:
    value = params.get(name, "")
    if not value:
        raise GatewayError(missing_code, f"缺少{name}参数", f"请传入参数{name}")
    return value
