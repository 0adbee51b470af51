"""What each fault looks like to the caller: a body, a status, or a connection that breaks."""

from __future__ import annotations

from collections.abc import Callable

from integrations.sandbox import answers
from integrations.sandbox.answers import GatewayError
from integrations.sandbox.faults import AFTER, Verdict
from integrations.sandbox.wire import HTML, Ending, Response

HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
GARBAGE = b'\x00\xff{"success": tru'
ERROR_500 = b'{"error":"Internal Server Error"}'


def before_acting(verdict: Verdict) -> Response | None:
    """The answer of a fault that keeps the call from having any effect; None when the call goes on."""
    if not verdict.kind or verdict.kind in AFTER:
        return None
    return _BEFORE[verdict.kind](verdict)


def after_acting(verdict: Verdict, body: bytes) -> Response:
    """The answer to a call that has had its effect."""
    if verdict.kind not in AFTER:
        return Response(body)
    return _AFTER[verdict.kind](body)


def _gateway(code: str, message: str) -> Callable[[Verdict], Response]:
    def answer(verdict: Verdict) -> Response:
        error = GatewayError(verdict.code or code, verdict.message or message)
        return Response(answers.gateway_error(error).encode())

    return answer


def _business(code: str, message: str) -> Callable[[Verdict], Response]:
    def answer(verdict: Verdict) -> Response:
        return Response(answers.refused(verdict.code or code, verdict.message or message).encode())

    return answer


_BEFORE: dict[str, Callable[[Verdict], Response]] = {
    "drop_before": lambda verdict: Response(ending=Ending.RESET),
    "http_500": lambda verdict: Response(ERROR_500, 500),
    "garbage": lambda verdict: Response(GARBAGE),
    "html_502": lambda verdict: Response(HTML_502, 502, HTML),
    "busy": _business("009", "系统繁忙,请稍后再试"),
    "refuse": _business("002", "参数错误"),
    "bad_signature": _gateway("25", "无效签名"),
    "rate_limited": _gateway("37", "应用调用服务的频率超限"),
}
_AFTER: dict[str, Callable[[bytes], Response]] = {
    "drop_after": lambda body: Response(ending=Ending.RESET),
    "http_500_after": lambda body: Response(ERROR_500, 500),
    "garbage_after": lambda body: Response(GARBAGE),
    "truncated_after": lambda body: Response(body, ending=Ending.TRUNCATED),
    "empty_after": lambda body: Response(b""),
}
