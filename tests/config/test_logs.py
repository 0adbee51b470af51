"""One formatter for every logger, and nothing secret in what it writes."""

import json
import logging

import pytest
import structlog

from config import logs
from tests.config.conftest import Lines

CODE = "4929384756102938"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Not Found: /hooks/smart-coupon/s3cret-token/typo/", "Not Found: /hooks/smart-coupon/***/typo/"),
        ("mobile 13800138000 and +8613912345678.", "mobile 138****8000 and +86139****5678."),
        (f"code {CODE} is used", "code ************2938 is used"),
        ("redis://:pa55word@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("postgresql://portal:pa55word@db/name", "postgresql://portal:***@db/name"),
        ("https://qyapi.weixin.qq.com/send?key=abc-1", "https://qyapi.weixin.qq.com/send?key=***"),
        ("appKey=k&sign=0123abcd&v=1.0", "appKey=k&sign=***&v=1.0"),
        ("{'app_secret': 'shh', 'v': '1.0'}", "{'app_secret': '***', 'v': '1.0'}"),
        ("Authorization: Api-Key pk_live_1", "Authorization: Api-Key ***"),
        ("duplicate key\nDETAIL:  Key (openid)=(o3Pm) already exists.\nmore", "duplicate key\nDETAIL:***\nmore"),
        ("3 rows, 138001380001 is no mobile", "3 rows, 138001380001 is no mobile"),
        ("task 3f2a9c1e-1380-4a6b-9d11-138001380001", "task 3f2a9c1e-1380-4a6b-9d11-138001380001"),
        ("the design: round", "the design: round"),
    ],
)
def test_what_must_not_be_read_is_masked_and_the_rest_stays(said: str, written: str, lines: Lines) -> None:
    logging.getLogger("anything").info("%s", said)
    structlog.get_logger("ours").info("told", words=said, deep={"list": [said]})
    plain, ours = lines()
    assert plain["event"] == written
    assert ours["words"] == written
    assert ours["deep"] == {"list": [written]}


def test_values_named_like_secrets_and_numbers_like_mobiles_are_masked(lines: Lines) -> None:
    structlog.get_logger("ours").info("told", sign="abc", app_secret="shh", mobile=13800138000, code=int(CODE), rows=3)
    (line,) = lines()
    assert (line["sign"], line["app_secret"], line["rows"]) == ("***", "***", 3)
    assert (line["mobile"], line["code"]) == ("138****8000", "************2938")


def test_a_traceback_is_one_masked_line_whoever_logs_it(lines: Lines) -> None:
    try:
        raise ValueError("broken at /hooks/smart-coupon/s3cret-token/coupon/ for 13800138000")
    except ValueError:
        logging.getLogger("django.security").exception("one")
        structlog.get_logger("ours").exception("two")
    for line in lines():
        assert "ValueError: broken at /hooks/smart-coupon/***/coupon/ for 138****8000" in line["exception"]


def test_a_line_begins_with_when_how_bad_and_what_and_is_bounded(lines: Lines) -> None:
    structlog.get_logger("ours").warning("told", long="x" * 100_000)
    (line,) = lines()
    assert list(line)[:4] == ["timestamp", "level", "event", "logger"]
    assert line["timestamp"].endswith("Z")
    assert len(json.dumps(line)) < 20_000


def test_on_a_console_the_same_is_readable_and_as_masked() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "for %s", ("13800138000",), None)
    line = logs.formatter("console").format(record)
    assert "for 138****8000" in line
    assert not line.startswith("{")


@pytest.mark.parametrize("name", ["django", "django.server", "celery", "_granian", "gunicorn.error", "kombu"])
def test_no_logger_has_a_handler_of_its_own(name: str) -> None:
    logger = logging.getLogger(name)
    assert [each for each in logger.handlers if not isinstance(each, logging.NullHandler)] == []
    assert logger.propagate
