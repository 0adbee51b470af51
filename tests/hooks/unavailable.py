"""Calling a real web server whose database may not answer, and how each hook says so."""

import json
import time
from typing import Any

import requests

UNAVAILABLE = {"error": {"code": "unavailable", "message": "Try again in a moment."}}
BUSY = {"success": False, "resultCode": "009", "message": "Try again in a moment."}
SLACK_SECONDS = 2  # of a busy machine


def send(where: str, path: str, body: Any, media_type: str = "application/json") -> tuple[requests.Response, float]:
    """Send a body; the answer and the seconds that it took."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    began = time.monotonic()
    answer = requests.post(f"http://{where}{path}", data=raw, headers={"Content-Type": media_type}, timeout=30)
    return answer, time.monotonic() - began


def assert_unavailable(answer: requests.Response, body: dict[str, Any]) -> None:
    assert (answer.status_code, answer.json()) == (503, body)
    assert answer.headers["Retry-After"] == "1"
