"""What must not stand in a log: the token in a push address, whatever logs the path, and anyone's mobile number."""

import logging
import re

from merchants.mobiles import MOBILE_IN_TEXT

_TOKEN = re.compile(r"(/hooks/smart-coupon/)[^/\s'\"]+")


class TokensMasked(logging.Filter):
    """Masks the token of every push address, and every mobile number, in a line and in its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message; the line always passes."""
        message = record.getMessage()
        masked = _masked(message)
        if masked != message:
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _masked(logging.Formatter().formatException(record.exc_info))
        return True


def _masked(text: str) -> str:
    return MOBILE_IN_TEXT.sub("1**********", _TOKEN.sub(r"\1***", text))
