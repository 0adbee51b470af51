"""What must not stand in a log: the token in a push address, whatever logs the path."""

import logging
import re

_TOKEN = re.compile(r"(/hooks/smart-coupon/)[^/\s'\"]+")


class TokensMasked(logging.Filter):
    """Masks the token of every push address in a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message; the line always passes."""
        message = record.getMessage()
        masked = _TOKEN.sub(r"\1***", message)
        if masked != message:
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _TOKEN.sub(r"\1***", logging.Formatter().formatException(record.exc_info))
        return True
