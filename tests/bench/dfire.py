"""A dfire at a socket that answers every call after a fixed time: `python -m tests.bench.dfire --milliseconds 20`.

The sandbox can be told to be slow too, but a call costs it more of the processor than the client that is measured. This
one takes a few hundredths of a millisecond a call, so that it leaves the machine to whom it answers. It checks the
signature and what a call must name, keeps who holds which code, refuses a code twice, and answers in dfire's envelope.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import requests

from integrations.dfire.signing import verify

APP_KEY, APP_SECRET = "bench-key", "bench-s3cr3t"
DELIVER = "dfire.shop.deliver.promotion"
ASK_CUSTOMER = "dfire.shop.customer.query.promotion"
SAVE = "dfire.shop.save.promotion"
ASK_PROMOTIONS = "dfire.shop.query.promotion"
_NEEDED = {
    DELIVER: ("entityId", "plateEntityId", "promotionId", "appid", "openid", "mobile", "thirdDeliverCode"),
    ASK_CUSTOMER: ("entityId", "plateEntityId", "appid", "openid"),
    SAVE: ("promotionId", "title"),
    ASK_PROMOTIONS: ("entityId", "plateEntityId"),
}
_DAY_MS = 86_400_000


class Ledger:
    """Who holds which code, and how hard the account called."""

    def __init__(self, milliseconds: float) -> None:
        self.seconds = milliseconds / 1000
        self.codes: dict[str, str] = {}  # its holder's openid
        self.held: defaultdict[str, list[str]] = defaultdict(list)
        self.promotions: dict[str, dict[str, Any]] = {}
        self.calls: defaultdict[str, int] = defaultdict(int)
        self.in_flight = self.most_in_flight = self.refused = 0

    def answer(self, form: dict[str, str]) -> dict[str, Any]:
        """What dfire says to a signed call."""
        method = form.get("method", "")
        self.calls[method] += 1
        missing = [name for name in _NEEDED.get(method, ()) if not form.get(name)]
        if method not in _NEEDED or missing or form["appKey"] != APP_KEY or not verify(form, APP_SECRET):
            self.refused += 1
            return {"success": False, "resultCode": "011", "message": f"missing {missing} or wrong signature"}
        return {"success": True, "resultCode": "000", "message": "", "model": getattr(self, _DOING[method])(form)}

    def deliver(self, form: dict[str, str]) -> list[dict[str, Any]]:
        """Give a code to a customer, once."""
        code, openid = form["thirdDeliverCode"], form["openid"]
        new = code not in self.codes
        self.refused += not new
        if new:
            self.give(openid, code)
        now = int(time.time() * 1000)
        return [
            {
                "thirdDeliverCode": code, "deliverSuccess": new, "canDeliver": True, "name": "bench",
                "promotionCustomerId": f"c{code}", "customerregisterId": f"r{openid}",
                "promotionId": form["promotionId"], "starttime": now, "endtime": now + 30 * _DAY_MS, "delivertime": now,
            }
        ]  # fmt: skip

    def ask_customer(self, form: dict[str, str]) -> list[dict[str, Any]]:
        """List what a customer holds."""
        openid = form["openid"]
        return [
            {
                "entityId": form["entityId"], "openid": openid, "thirdDeliverCode": code, "appid": form["appid"],
                "plateEntityId": form["plateEntityId"], "brandEntityId": form["plateEntityId"],
                "promotionCustomerId": f"c{code}", "customerRegisterId": f"r{openid}",
            }
            for code in self.held.get(openid, ())
        ]  # fmt: skip

    def save(self, form: dict[str, str]) -> list[str]:
        """Keep a promotion; the model is dfire's own id of it."""
        self.promotions[form["promotionId"]] = form
        return [f"own-{form['promotionId']}"]

    def ask_promotions(self, form: dict[str, str]) -> list[dict[str, Any]]:
        """List the promotions (a bench's merchant reads them as they were saved)."""
        return []

    def give(self, openid: str, code: str) -> None:
        """The customer holds the code."""
        self.codes[code] = openid
        self.held[openid].append(code)


_DOING = {DELIVER: "deliver", ASK_CUSTOMER: "ask_customer", SAVE: "save", ASK_PROMOTIONS: "ask_promotions"}


class _Connection(asyncio.Protocol):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.data = ledger, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0]) if found else 0
            if len(self.data) < end + 4 + length:
                return
            body, self.data = self.data[end + 4 : end + 4 + length], self.data[end + 4 + length :]
            self._take(head.split(b" ", 2)[1], body)

    def _take(self, path: bytes, body: bytes) -> None:
        ledger = self.ledger
        if path == b"/told":
            for line in body.decode().split("\n"):
                openid, _, code = line.partition(" ")
                ledger.give(openid, code)
        if path in (b"/told", b"/seen"):
            seen = {"codes": len(ledger.codes), "calls": dict(ledger.calls), "refused": ledger.refused}
            self._write({**seen, "most_in_flight": ledger.most_in_flight})
            return
        answer = ledger.answer(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        ledger.in_flight += 1
        ledger.most_in_flight = max(ledger.most_in_flight, ledger.in_flight)
        asyncio.get_running_loop().call_later(ledger.seconds, self._answer, answer)

    def _answer(self, answer: dict[str, Any]) -> None:
        self.ledger.in_flight -= 1
        self._write(answer)

    def _write(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: application/json\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


class Dfire:
    """The process, as who measures sees it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.router = f"{self.url}/router"

    def seen(self) -> dict[str, Any]:
        """How many codes it holds, calls by method, how many it refused, and the most in flight at once."""
        found: dict[str, Any] = requests.get(f"{self.url}/seen", timeout=10).json()
        return found

    def tell(self, holders: list[tuple[str, str]]) -> None:
        """These hold their codes already: pairs of openid and code."""
        requests.post(f"{self.url}/told", data="\n".join(" ".join(pair) for pair in holders), timeout=60)


@contextmanager
def dfire(milliseconds: float) -> Iterator[Dfire]:
    """A process of its own that answers after so long."""
    command = [sys.executable, "-m", "tests.bench.dfire", "--milliseconds", str(milliseconds)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Dfire(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


async def _serve(milliseconds: float) -> None:
    ledger = Ledger(milliseconds)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(ledger), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--milliseconds", type=float, default=20)
    asyncio.run(_serve(options.parse_args().milliseconds))
