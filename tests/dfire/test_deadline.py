"""A call takes no longer than its timeout in total, however slowly the other side goes."""

import socket
import time

import pytest

from integrations.dfire import RetryableError, UncertainError
from tests.dfire.outside import drip
from tests.dfire.samples import COUPON, GOOD, deliver, query, within


def hold(request):
    """Never answer."""
    time.sleep(3)


def drip_headers(request):
    drip(request.sock, GOOD, pause=0.05)


def drip_body(request):
    head, _, body = GOOD.partition(b"\r\n\r\n")
    request.sock.sendall(head + b"\r\n\r\n")
    drip(request.sock, body, pause=0.05)


def drip_chunks(request):
    request.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(request.sock, b"1\r\n{\r\n" * 100, pause=0.02)


def drip_interim_answers(request):
    for _ in range(100):
        request.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize("slow", [hold, drip_headers, drip_body, drip_chunks, drip_interim_answers])
def test_the_whole_call_is_bounded_however_slowly_the_server_answers(outside, connect, slow):
    client = connect(outside(slow), timeout_seconds=0.4)
    with within(1.5), pytest.raises(UncertainError) as caught:
        deliver(client)
    assert 350 <= caught.value.exchange.duration_ms <= 1500
    with within(1.5), pytest.raises(RetryableError):
        query(client)


def test_the_bound_holds_for_a_connection_that_is_used_again(outside, connect):
    server = outside(GOOD)
    client = connect(server, timeout_seconds=0.4)
    deliver(client)
    server.answer = drip_body
    with within(1.5), pytest.raises(UncertainError):
        deliver(client)
    assert server.connections == 1


def test_a_slow_but_timely_answer_is_read(outside, connect):
    def answer(request):
        drip(request.sock, GOOD, pause=0.001)

    assert deliver(connect(outside(answer), timeout_seconds=3)).value.can_deliver is True


def test_a_server_that_does_not_read_is_given_up_and_was_not_sent_everything(connect):
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_seconds=0.4)
        with within(3), pytest.raises(RetryableError, match="not sent"):
            client.deliver_promotion(**{**COUPON, "code": "1" * 10_000_000})


def test_a_connection_that_is_not_accepted_was_not_sent(connect):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        time.sleep(0.05)
        client = connect(f"http://127.0.0.1:{address[1]}/router", timeout_seconds=0.3)
        with within(1.3), pytest.raises(RetryableError, match="not sent"):
            deliver(client)
        for filler in fillers:
            filler.close()


def test_a_name_lookup_that_hangs_is_bounded(connect, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(1.5) or [])
    with within(1.3), pytest.raises(RetryableError, match="not resolved in time"):
        deliver(connect("http://slow.example/router", timeout_seconds=0.3))
