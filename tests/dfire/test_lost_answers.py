"""What is concluded when no complete answer comes: nothing sent, or nobody knows."""

import gzip
import json
import socket
import tracemalloc

import pytest

from integrations.dfire import RetryableError, UncertainError
from tests.dfire.outside import http, reset, send_and_close
from tests.dfire.samples import COUPON, DELIVERED, GOOD, SPENT, deliver, query


def test_a_refused_connection_was_not_sent(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RetryableError, match="not sent") as caught:
        deliver(connect(f"http://127.0.0.1:{port}/router"))
    assert caught.value.exchange.http_status is None
    assert caught.value.exchange.answer == ""
    assert caught.value.exchange.request["thirdDeliverCode"] == COUPON["code"]


def test_a_name_that_is_not_known_was_not_sent(connect):
    with pytest.raises(RetryableError, match="not sent"):
        deliver(connect("http://nowhere.invalid/router", timeout_seconds=2))


def test_the_next_address_of_a_name_is_tried(outside, connect, monkeypatch):
    server = outside(GOOD)
    with socket.create_server(("127.0.0.2", 0)) as listener:
        closed = listener.getsockname()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (closed, ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert deliver(connect("http://two.example/router")).value.can_deliver is True


LOST = {
    "closed without an answer": send_and_close(b""),
    "reset": lambda request: reset(request.sock),
    "closed within the status line": send_and_close(b"HTTP/1.1 2"),
    "closed within the headers": send_and_close(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "shorter than its Content-Length": send_and_close(http(DELIVERED, length=10_000)),
    "not HTTP": send_and_close(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "binary": send_and_close(bytes(range(256)) * 10),
    "garbage for chunks": send_and_close(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n{}\r\n0\r\n\r\n"
    ),
    "chunks cut short": send_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"),
    "an interim answer only": send_and_close(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "too many headers": send_and_close(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"),
    "an endless header": send_and_close(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000),
    "compressed and broken": send_and_close(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    ),
    "a length that is none": send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"),
    "lengths that differ": send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_an_answer_lost_after_sending_is_uncertain_for_a_write_and_retryable_for_a_read(outside, connect, answer):
    server = outside(answer)
    client = connect(server, timeout_seconds=2)
    with pytest.raises(UncertainError) as caught:
        deliver(client)
    assert caught.value.exchange is not None
    with pytest.raises(RetryableError):
        query(client)
    sent = [request.params["method"] for request in server.requests]
    assert len(sent) == len(set(sent))  # neither was sent twice


def test_what_arrived_of_a_truncated_answer_is_kept(outside, connect):
    with pytest.raises(UncertainError) as caught:
        deliver(connect(outside(send_and_close(http(DELIVERED, length=10_000)))))
    assert caught.value.http_status == caught.value.exchange.http_status == 200
    assert caught.value.exchange.answer.startswith('{"success"')


def test_a_verification_that_was_cut_off_says_so(outside, connect):
    with pytest.raises(UncertainError, match="no complete answer"):
        connect(outside(send_and_close(b""))).verify_promotion(**SPENT)


def test_an_answer_compressed_unasked_is_read(outside, connect):
    packed = gzip.compress(json.dumps(DELIVERED).encode())
    server = outside(http(packed, headers=["Content-Encoding: gzip"]))
    assert deliver(connect(server)).value.can_deliver is True
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_a_compressed_answer_that_swells_is_cut_off(outside, connect):
    server = outside(http(gzip.compress(b" " * 300_000_000, 9), headers=["Content-Encoding: gzip"]))
    tracemalloc.start()
    try:
        with pytest.raises(RetryableError, match="longer than"):
            query(connect(server))
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_an_answer_in_chunks_is_read_to_its_end(outside, connect):
    body = json.dumps(DELIVERED).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:30], body[30:]))
    server = outside(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    client = connect(server)
    for _ in range(3):
        assert deliver(client).value.can_deliver is True
    assert server.connections == 1


def test_an_answer_that_ends_with_its_connection_is_read(outside, connect):
    body = json.dumps(DELIVERED).encode()
    server = outside(send_and_close(b"HTTP/1.0 200 OK\r\n\r\n" + body))
    assert deliver(connect(server)).value.can_deliver is True
    server.answer = send_and_close(b"HTTP/1.0 200 OK\r\n\r\n" + body[:-1])
    with pytest.raises(UncertainError):
        deliver(connect(server))
