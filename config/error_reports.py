"""What Django tells of an error, on its yellow page (DEBUG) and in mails: the error and where it happened, no values.

Names of variables, fields and paths do not say what is secret in them: a push address has a token, a form a mobile
number, a model its secrets. So none of them is told, the request neither (the log has its line, with route and id); the
words of the error are masked as in the log.
"""

import re
from types import TracebackType
from typing import Any

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from config.logs import mask


class Masked(SafeExceptionReporterFilter):
    """Settings without what is secret in them, by name and by what they look like; no variables."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|LOCATION|_URL", flags=re.IGNORECASE
    )

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        """The setting as it may be told."""
        cleansed = super().cleanse_setting(key, value)
        return mask(cleansed) if isinstance(cleansed, str) else cleansed

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        """None."""
        return []


class Reporter(ExceptionReporter):
    """Makes the pages and mails."""

    def __init__(
        self, request: Any, exc_type: Any, exc_value: Any, tb: TracebackType | None, is_email: bool = False
    ) -> None:
        super().__init__(None, exc_type, exc_value, tb, is_email=is_email)

    def get_traceback_data(self) -> Any:
        """What they are made of."""
        told: dict[str, Any] = super().get_traceback_data()
        told["unicode_hint"] = ""
        for name in ("exception_value", "exception_notes"):
            if name in told:
                told[name] = mask(told[name])
        return told

    def get_traceback_frames(self) -> Any:
        """The places, those of causes too."""
        frames: list[dict[str, Any]] = super().get_traceback_frames()
        for frame in frames:
            if frame["exc_cause"] is not None:
                frame["exc_cause"] = mask(str(frame["exc_cause"]))
        return frames
