"""Calls that the sandbox itself makes. They go to the configured portal and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests

TIMEOUT_SECONDS = 10
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and a text, or no status and the kind of failure."""

    status: int | None
    text: str
    milliseconds: float


def post(portal_url: str, path: str, body: bytes, content_type: str) -> Answer:
    """POST to the portal; never raises, never follows a redirect to elsewhere, never reads without end."""
    started = time.perf_counter()
    status, text = _post(portal_url + path, body, {"Content-Type": content_type})
    return Answer(status, text, (time.perf_counter() - started) * 1000)


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int | None, str]:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.post(
                url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as response:
                raw = bytearray()
                deadline = time.monotonic() + TIMEOUT_SECONDS
                for chunk in response.iter_content(8192):
                    raw += chunk
                    if len(raw) >= MAX_ANSWER_BYTES or time.monotonic() > deadline:
                        break
                return response.status_code, bytes(raw[:MAX_ANSWER_BYTES]).decode(errors="replace")
        except requests.RequestException as error:
            # The error's own text would name the URL, and a push URL carries its account's token.
            return None, type(error).__name__
