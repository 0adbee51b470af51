"""Messages reach email, WeCom, DingTalk and plain HTTP; what came back is said truthfully and without secrets."""

import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import translation

from integrations.alerts import robots
from integrations.alerts.sending import send, service_of
from integrations.alerts.words import Message
from tests.alerts.receivers import Mailbox, Web

MESSAGE = Message("标题", "第一行\n第二行")
KEY = "693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa"


@pytest.fixture
def robot(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The robots' servers, at the paths and with the queries that theirs have."""
    monkeypatch.setattr(robots.WeComRobot, "notify_url", f"{web.url}/cgi-bin/webhook/send?key={{key}}")
    monkeypatch.setattr(robots.DingTalkRobot, "notify_url", f"{web.url}/robot/send?access_token={{token}}")
    web.answers = [(200, {"errcode": 0, "errmsg": "ok"})]
    return web


def test_http(web: Web) -> None:
    outcome = send(web.address, MESSAGE)
    assert outcome.taken
    assert (web.paths, web.bodies[0]["title"], web.bodies[0]["message"]) == (["/alerts"], "标题", "第一行\n第二行")


def test_a_server_leads_no_message_elsewhere(web: Web) -> None:
    web.answers = [(307, {}), (200, {})]
    assert not send(web.address, MESSAGE).taken
    assert web.paths == ["/alerts"]


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "100.100.100.200"])
def test_no_message_goes_where_a_cloud_hands_out_its_keys(host: str) -> None:
    with translation.override("en"):
        outcome = send(f"json://{host}/latest", MESSAGE)
    assert (outcome.taken, outcome.said) == (False, "The address leads to a place where no notice may go.")


def test_email(mailbox: Mailbox) -> None:
    outcome = send(mailbox.address, MESSAGE)
    assert outcome.taken, outcome.said
    mail = mailbox.mails[0]
    assert (mail["Subject"], "ops@example.com" in mail["To"]) == ("标题", True)
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == ["第一行", "第二行"]


def test_a_mail_server_that_refuses_the_recipient(mailbox: Mailbox) -> None:
    mailbox.refusal = "550 no such user"
    outcome = send(mailbox.address, MESSAGE)
    assert (outcome.taken, mailbox.mails) == (False, [])
    assert "no such user" in outcome.said


@pytest.mark.parametrize(
    "address", [f"wecombot://{KEY}", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"]
)
def test_wecom(robot: Web, address: str) -> None:
    outcome = send(address, MESSAGE)
    assert (outcome.taken, service_of(address)) == (True, "WeCom Bot")
    assert robot.paths == [f"/cgi-bin/webhook/send?key={KEY}"]
    assert robot.bodies[0]["msgtype"] == "text"
    assert robot.bodies[0]["text"]["content"].split() == ["标题", "第一行", "第二行"]


@pytest.mark.parametrize(
    "address",
    ["dingtalk://SECabc123@tok456", "https://oapi.dingtalk.com/robot/send?access_token=tok456&secret=SECabc123"],
)
def test_dingtalk_signed(robot: Web, address: str) -> None:
    assert send(address, MESSAGE).taken
    query = parse_qs(urlsplit(robot.paths[0]).query)
    assert (query["access_token"], len(query["timestamp"][0]), len(query["sign"][0])) == (["tok456"], 13, 44)
    assert robot.bodies[0]["text"]["content"] == "标题\n第一行\n第二行"


def test_dingtalk_unsigned(robot: Web) -> None:
    assert send("https://oapi.dingtalk.com/robot/send?access_token=tok456", MESSAGE).taken
    assert robot.paths == ["/robot/send?access_token=tok456"]


@pytest.mark.parametrize("address", [f"wecombot://{KEY}", "dingtalk://tok456"])
@pytest.mark.parametrize(
    "answer",
    [(200, {"errcode": 93000, "errmsg": "invalid webhook url"}), (200, {}), (200, "<html>"), (502, {"errcode": 0})],
)
def test_a_robot_that_answers_200_and_refuses_has_refused(robot: Web, address: str, answer: tuple[int, Any]) -> None:
    robot.answers = [answer]
    outcome = send(address, MESSAGE)
    assert not outcome.taken
    if "errmsg" in answer[1]:
        assert "93000 invalid webhook url" in outcome.said


@pytest.mark.parametrize("status", [302, 400, 500])
def test_an_http_error_is_a_failure(web: Web, status: int) -> None:
    web.answers = [(status, {})]
    outcome = send(web.address, MESSAGE)
    assert not outcome.taken
    assert str(status) in outcome.said


def test_an_address_cannot_call_failure_success_nor_ask_for_retries(web: Web) -> None:
    web.answers = [(500, {})]
    assert not send(f"{web.address}?optional=yes&retry=5&wait=30", MESSAGE).taken
    assert len(web.bodies) == 1


def test_nobody_listens() -> None:
    assert not send("json://127.0.0.1:9/", MESSAGE).taken


@pytest.mark.parametrize("options", ["", "?rto=3600&cto=3600"])
def test_a_server_that_does_not_answer_is_left_in_time(web: Web, settings: Any, options: str) -> None:
    settings.NOTICE_TIMEOUT_SECONDS = 1
    web.seconds = 4
    begin = time.monotonic()
    assert not send(f"{web.address}{options}", MESSAGE).taken
    assert time.monotonic() - begin < 2.5


@pytest.mark.parametrize(
    "address", ["", "nonsense", "json://", "nosuch://host/", "wecombot://", "dingtalk://bad_token!"]
)
def test_an_address_that_is_none(address: str) -> None:
    assert (service_of(address), send(address, MESSAGE).taken) == ("", False)


@pytest.fixture
def printed() -> Iterator[list[str]]:
    """What reaches the portal's log."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


def test_secrets_are_neither_said_nor_logged(robot: Web, printed: list[str]) -> None:
    robot.answers = [
        (200, {"errcode": 1, "errmsg": f"the key {KEY} is wrong"}),
        (200, {"errcode": 1, "errmsg": "the token tok456secret is wrong"}),
        (404, {"message": "nothing at /tok456secret"}),
    ]
    said = [
        send(address, MESSAGE).said
        for address in (
            f"wecombot://{KEY}",
            "dingtalk://tok456secret",
            f"json://portalmailbox:hunter22@127.0.0.1:{robot.port}/tok456secret?rto=2",
            "json://127.0.0.1:9/tok456secret?key=hunter22",
            "mailto://portalmailbox:hunter22@127.0.0.1:9?from=a@example.com&to=b@example.com",
            "dingtalk://tok456secret!",
        )
    ]
    assert all(said)
    written = " ".join([*said, *printed])
    for secret in (KEY, "tok456secret", "hunter22"):
        assert secret not in written
