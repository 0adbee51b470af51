"""The socket: connections that are kept, bodies that are bounded, many callers at once, an orderly end."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.sandbox.caller import Caller

ROOT = Path(__file__).resolve().parents[2]


def test_connection_is_kept_between_calls(sandbox):
    caller = Caller(sandbox.url)
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(3):
        connection.request("POST", "/router", urlencode(caller.params("query.promotion")), headers)
        socket = connection.sock
        assert b'"success":true' in connection.getresponse().read()
        assert connection.sock is socket is not None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "999999999"}, 413),
        ({"Content-Length": "-1"}, 400),
        ({"Content-Length": "many"}, 400),
        ({"Content-Length": "9" * 5000}, 400),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_body_without_a_bound_is_refused_unread(sandbox, headers, status):
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc)
    connection.putrequest("POST", "/router")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status


def test_one_code_delivered_by_many_at_once_is_delivered_once(stocked):
    callers = [Caller(stocked.url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda caller: caller.deliver("race"), callers))
    accepted = [answer for answer in answers if answer["success"]]
    assert len(accepted) == 1
    assert stocked.coupon("race")["delivered"] == 1
    assert stocked.coupon("race")["refused_deliveries"] == 7


def test_stock_holds_when_many_take_at_once(till):
    till.save(totalNum="5", ruleList={"perPersonCanGetCouponMaxNum": 100})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: Caller(till.url).deliver(f"c{number}"), range(12)))
    assert sum(answer["model"]["deliverSuccess"] for answer in answers) == 5
    assert till.control("GET", "ledger")["totals"]["held"] == 5


def test_limits_tell_the_most_calls_at_once_and_in_a_second(till):
    till.fault("latency", latency_ms=120)
    ready = threading.Barrier(5)

    def call(_: int) -> None:
        caller = Caller(till.url)
        ready.wait()
        caller.json("query.promotion")

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(call, range(5)))
    Caller(till.url, app_key="nobody").json("query.promotion")
    accounts = till.control("GET", "limits")["accounts"]
    assert accounts["till-key"] == {"total": 5, "running": 0, "max_per_second": 5, "max_concurrent": 5}
    assert accounts["(unknown)"]["total"] == 1


def test_ledger_is_there_after_a_restart(start):
    first = start()
    caller = Caller(first.url)
    caller.save()
    caller.deliver("9001")
    first.stop()
    caller = Caller(start().url)
    assert caller.held() == {"9001": None}
    assert [entry["code"] for entry in caller.control("GET", "requests")["requests"]] == ["", "9001", ""]


def test_reset_forgets_everything(stocked):
    stocked.fault("busy")
    stocked.control("POST", "reset")
    assert stocked.control("GET", "faults")["rules"] == []
    report = stocked.control("GET", "ledger")
    assert (report["promotions"], report["coupons"], report["totals"]["codes"]) == ([], [], 0)
    assert stocked.control("GET", "requests")["requests"] == []
    assert stocked.control("GET", "limits")["accounts"] == {}
    stocked.save()
    assert stocked.deliver("9001")["model"]["deliverSuccess"] is True


def test_ledger_can_be_narrowed_to_a_promotion(stocked):
    stocked.save("2")
    stocked.deliver("9002", promotion_id="2")
    report = stocked.control("GET", "ledger", promotion_id="2")
    assert [row["promotion_id"] for row in report["promotions"]] == ["2"]
    assert [row["code"] for row in report["coupons"]] == ["9002"]
    assert report["promotions"][0]["mode"] == {"modeType": "2", "saveMoney": 1000}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_a_signal_and_ends_in_order(tmp_path, config_path, number):
    script = (
        "from django.conf import settings; settings.configure(BASE_DIR='.', INSTALLED_APPS=[]);"
        "import django; django.setup(); from django.core.management import call_command;"
        "from integrations.management.commands.sandbox import Command;"
        f"call_command(Command(), port=0, config={str(config_path)!r}, store={str(tmp_path / 's.db')!r})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert Caller(url).json("query.promotion")["success"] is True
        process.send_signal(number)
        assert process.stdout.read().strip() == "sandbox stopped"
        assert process.wait(timeout=5) == 0


def test_log_keeps_the_last_twenty_thousand_calls(tmp_path):
    from integrations.sandbox.store import REQUEST_LOG_ROWS, Store

    store = Store(tmp_path / "log.sqlite3")
    for number in range(REQUEST_LOG_ROWS + 50):
        store.log_request((number, "m", str(number), "k", "{}", "", "ok", "", 0.1))
    store.commit()
    row = store.row("SELECT COUNT(*) AS count, MIN(at) AS first FROM requests")
    assert row is not None
    assert (row["count"], row["first"]) == (REQUEST_LOG_ROWS, 50)
    store.close()


def test_unknown_address_is_404_and_other_verbs_are_refused(till):
    assert till.session.get(f"{till.url}/nothing").status_code == 404
    assert till.session.get(f"{till.url}/router").status_code == 404
    assert till.session.put(f"{till.url}/router").status_code == 501
    assert json.loads(till.session.post(f"{till.url}/control/faults", data="[]").text)["error"]
