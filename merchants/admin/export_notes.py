"""Who took which data away: every export leaves entries in the audit trail and a line in the log.

One entry is written before the first row leaves and another behind the last, so that an export that broke off is known,
too. They name the list's filters, never what was searched for: that may be a mobile number or a code.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from django.db import Error
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_noop

from merchants.admin.masking import masked_text
from merchants.admin.noting import english
from merchants.audit.recording import record
from merchants.audit.who import current

_log = structlog.get_logger(__name__)
_LONGEST_FILTER = 500
_HIDDEN = "***"


class ExportNote:
    """One export: what it says grows as its rows do."""

    def __init__(self, request: HttpRequest, model: Any, title: Any, form: str, filters: str) -> None:
        self._said = {"format": form.upper(), "filter": filters or gettext_noop("none")}
        self._model, self._title = model, english(title)
        self._who = current()  # the request is over when the last row leaves
        self._facts = {"list": model._meta.label, "format": form, "filters": filters, "user_id": request.user.pk}
        self.rows = 0
        self._record(gettext_noop("Export as %(format)s begun. Filter: %(filter)s"))

    def counted(self, rows: Iterable[Any]) -> Iterator[Any]:
        """The rows, counted as they pass."""
        for row in rows:
            self.rows += 1
            yield row

    def kept(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The file, and behind its last piece (or where it broke off) what became of it."""
        done = False
        try:
            yield from pieces
            done = True
        finally:
            self._finish(done)

    def _finish(self, done: bool) -> None:
        words = gettext_noop("Exported as %(format)s. Rows: %(rows)s. Filter: %(filter)s")
        if not done:
            words = gettext_noop("Export as %(format)s broke off after %(rows)s rows. Filter: %(filter)s")
        _log.info("exported" if done else "export_broke_off", rows=self.rows, **self._facts)
        try:
            self._record(words, rows=f"{self.rows:,}")
        except Error:  # the database is what broke off
            _log.warning("export_not_noted", rows=self.rows, **self._facts)

    def _record(self, words: str, **facts: str) -> None:
        record(self._model, words, name=self._title, facts={**self._said, **facts}, who=self._who)


def filters_in_words(query: QueryDict, search: str) -> str:
    """The filters and the order of a list, as its address says them; what was searched for is hidden."""
    said = [f"{key}={_HIDDEN if key == search else value}" for key, values in query.lists() for value in values]
    return masked_text("&".join(said))[:_LONGEST_FILTER]
