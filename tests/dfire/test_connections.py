"""One pool of connections, to the configured address alone, and nothing kept between calls."""

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations.dfire import ConfigurationError, RetryableError, UncertainError
from integrations.dfire import connection as connection_module
from tests.dfire.outside import http, reset, send_and_close, success
from tests.dfire.samples import COUPON, DELIVERED, GOOD, deliver, query, within


def test_calls_share_one_connection(outside, connect):
    server = outside(GOOD)
    client = connect(server)
    for _ in range(20):
        deliver(client)
    assert (server.connections, len(server.requests)) == (1, 20)


def test_threads_share_the_pool(outside, connect):
    barrier = threading.Barrier(8)

    def answer(_):
        barrier.wait(2)
        return GOOD

    server = outside(answer)
    client = connect(server, pool_size=8)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: deliver(client), range(64)))
    assert len(replies) == 64
    assert server.connections == 8


def test_more_threads_than_the_pool_holds_do_not_wait_for_each_other(outside, connect):
    barrier = threading.Barrier(6)

    def answer(_):
        barrier.wait(2)
        return GOOD

    client = connect(outside(answer), pool_size=2, timeout_seconds=2)
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(lambda _: deliver(client), range(12)))) == 12


def test_a_connection_that_the_server_closed_meanwhile_is_replaced_not_written_to(outside, connect):
    server = outside(send_and_close(GOOD))
    client = connect(server)
    for _ in range(5):
        deliver(client)
        time.sleep(0.02)
    assert server.connections == 5


def test_a_connection_that_idled_long_is_not_used_again(outside, connect, monkeypatch):
    server = outside(GOOD)
    client = connect(server)
    deliver(client)
    monkeypatch.setattr(connection_module, "MAX_IDLE_SECONDS", 0.05)
    time.sleep(0.06)
    deliver(client)
    assert server.connections == 2


def test_a_connection_closed_while_the_request_goes_out_stays_uncertain(outside, connect):
    server = outside(GOOD)
    client = connect(server)
    deliver(client)
    server.answer = lambda request: reset(request.sock)
    with pytest.raises(UncertainError):
        deliver(client)
    server.answer = lambda _: GOOD
    assert deliver(client).value.can_deliver is True


STRAY = http(success({"deliverSuccess": False}))


def send_one_answer_too_many(_):
    return GOOD + STRAY


def send_an_interim_answer_long_before_the_real_one(request):
    request.sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    time.sleep(0.1)
    return STRAY


@pytest.mark.parametrize("first", [send_one_answer_too_many, send_an_interim_answer_long_before_the_real_one])
def test_a_stray_answer_is_never_read_as_that_of_the_next_call(outside, connect, first):
    server = outside(lambda request: first(request) if len(server.requests) == 1 else GOOD)
    client = connect(server)
    with contextlib.suppress(UncertainError):
        deliver(client)
    assert deliver(client).value.can_deliver is True


def test_proxies_and_credentials_of_the_environment_are_ignored(outside, connect, monkeypatch, tmp_path):
    server = outside(GOOD)
    proxy = outside(http(b"I am the proxy", status=502))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    deliver(connect(server))
    assert proxy.connections == 0
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(outside, connect, status):
    elsewhere = outside(GOOD)
    server = outside(http(b"", status=status, headers=[f"Location: {elsewhere.url}"]))
    client = connect(server)
    with pytest.raises(UncertainError):
        deliver(client)
    with pytest.raises(ConfigurationError):
        query(client)
    assert elsewhere.connections == 0


def test_cookies_are_not_kept(outside, connect):
    server = outside(http(DELIVERED, headers=["Set-Cookie: session=1; Path=/"]))
    client = connect(server)
    deliver(client)
    deliver(client)
    assert "cookie" not in server.requests[1].headers


def test_retry_after_does_not_make_the_client_wait_or_send_again(outside, connect):
    server = outside(http(b"", status=503, headers=["Retry-After: 2"]))
    with within(0.5), pytest.raises(RetryableError):
        deliver(connect(server))
    assert len(server.requests) == 1


def test_a_request_that_could_not_be_handed_over_whole_is_known_to_be_without_effect(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            sock, _ = listener.accept()
            sock.recv(100)
            reset(sock)

        threading.Thread(target=serve, daemon=True).start()
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        with pytest.raises(RetryableError, match="not sent"):
            client.deliver_promotion(**{**COUPON, "code": "1" * 10_000_000})


def test_a_closed_client_opens_new_connections_when_it_is_called_again(outside, connect):
    server = outside(GOOD)
    client = connect(server)
    deliver(client)
    client.close()
    deliver(client)
    assert server.connections == 2
