"""Tokens stay out of the log."""

import logging

from config.logs import TokensMasked


def logged(message: str, *args: object) -> str:
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, message, args, None)
    assert TokensMasked().filter(record)
    return record.getMessage()


def test_a_push_address_is_logged_without_its_token() -> None:
    line = logged("Not Found: %s", "/hooks/smart-coupon/s3cret-token/typo/")
    assert line == "Not Found: /hooks/smart-coupon/***/typo/"


def test_other_lines_stay_as_they_are() -> None:
    assert logged("%s rows", 3) == "3 rows"
