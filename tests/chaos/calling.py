"""How callers insist: what is not answered is asked again, and what was answered is believed."""

import time
from typing import Any

import requests

from tests.chaos.promises import Promises

PATIENCE_SECONDS = 120  # how long a caller repeats what was not answered
PAUSE_SECONDS = 0.2
ANSWER_SECONDS = 10
PASSING = (429, 502, 503)


class Unanswered(Exception):
    """No answer, or one that says that it may work later: it may have happened or not."""


class Refusal(Exception):
    """A lasting no."""


class Caller:
    """One connection to the portal's processes."""

    def __init__(self, promises: Promises) -> None:
        self.promises = promises
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, url: str, body: dict[str, Any], *, what: str) -> dict[str, Any]:
        """Post JSON once.

        Raises:
            Unanswered: the outcome is unknown.
            Refusal: it was refused for good.
            AssertionError: an answer that nobody should get.
        """
        try:
            answer = self.session.post(url, json=body, timeout=ANSWER_SECONDS)
        except requests.RequestException as error:
            self.promises.count(f"{what}: no answer")
            raise Unanswered from error
        if answer.status_code == 200:
            told: dict[str, Any] = answer.json()
            return told
        self.promises.count(f"{what}: {answer.status_code}")
        if answer.status_code in PASSING:
            raise Unanswered
        if answer.status_code == 409:
            raise Refusal(answer.text)
        raise AssertionError(f"{url} {body}: {answer.status_code} {answer.text[:500]}")

    def insist(self, url: str, body: dict[str, Any], *, what: str) -> dict[str, Any]:
        """Post what may safely be repeated until it is answered. Raises Refusal, AssertionError."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                return self.ask(url, body, what=what)
            except Unanswered:
                time.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{url} was not answered in {PATIENCE_SECONDS} s")
