"""The bodies that the router answers with, in the forms of the seed document.

Save, verify, delete and transfer answer something that is not JSON, and the sandbox prints it as the
document does, blank lines included, because that is what the portal has to read.
"""

from __future__ import annotations

import json

ERROR_TOKEN = "@@$-ERROR_$@@"  # nosec B105 # a fixed marker of the gateway, no secret
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Refused(Exception):
    """A business refusal: dfire's resultCode and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class GatewayError(Exception):
    """A refusal by the gateway in front of the services, in its own shape."""

    def __init__(self, code: str, message: str, solution: str = "", parameter: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.solution = solution
        self.parameter = parameter


def literal(model: str) -> str:
    """The document's form for save, verify, delete and transfer: a bare value in braces, no JSON."""
    return '{\n  "success": true,\n\n  "model": [\n    {\n      ' + model + '\n    }\n  ],\n  "totalRecord": 0\n}'


def saved(own_id: str) -> str:
    """The answer to save: dfire's own id of the promotion."""
    return literal(f'"{own_id}"')


def done() -> str:
    """The answer to verify, delete and transfer."""
    return literal("true")


def model(value: object) -> str:
    """A proper JSON answer; totalRecord is 0 even when there are rows."""
    return compact({"success": True, "model": value, "totalRecord": 0})


def refused(code: str, message: str) -> str:
    """A business refusal."""
    return compact({"success": False, "resultCode": code, "message": message})


def gateway_error(error: GatewayError) -> str:
    """A gateway refusal."""
    sub_errors = (
        [{"code": f"isv.missing-parameter:{error.parameter}", "message": f"缺少必要的参数{error.parameter}"}]
        if error.parameter
        else []
    )
    return compact(
        {
            "errorToken": ERROR_TOKEN,
            "code": error.code,
            "message": error.message,
            "solution": error.solution,
            "subErrors": sub_errors,
        }
    )


def compact(value: object) -> str:
    """JSON as the gateway prints it."""
    return _ENCODER.encode(value)
