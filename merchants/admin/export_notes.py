"""Who took which data away: every export leaves an entry in staff's log (Django's LogEntry) and a line in the log.

The entry is written before the first row leaves and completed behind the last, so that also an export that broke off
is known. It names the list's filters, never what was searched for: that may be a mobile number or a code.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import Error
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from merchants.admin.masking import masked_text

_log = structlog.get_logger(__name__)
_LONGEST_FILTER = 500
_HIDDEN = "***"


class ExportNote:
    """One export: what it says grows as its rows do."""

    def __init__(self, request: HttpRequest, model: Any, title: str, form: str, filters: str) -> None:
        self._said = {"format": form.upper(), "filter": filters or _("none")}
        self._facts = {"list": model._meta.label, "format": form, "filters": filters, "user_id": request.user.pk}
        self.rows = 0
        self._entry = LogEntry.objects.create(
            user_id=str(request.user.pk),
            content_type=ContentType.objects.get_for_model(model),
            object_repr=title[:200],
            action_flag=CHANGE,
            change_message=_("Export as %(format)s begun. Filter: %(filter)s") % self._said,
        )

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
        words = _("Exported as %(format)s. Rows: %(rows)s. Filter: %(filter)s")
        if not done:
            words = _("Export as %(format)s broke off after %(rows)s rows. Filter: %(filter)s")
        _log.info("exported" if done else "export_broke_off", rows=self.rows, **self._facts)
        said = words % {**self._said, "rows": f"{self.rows:,}"}
        try:
            LogEntry.objects.filter(pk=self._entry.pk).update(change_message=said)
        except Error:  # the database is what broke off
            _log.warning("export_not_noted", entry=self._entry.pk)


def filters_in_words(query: QueryDict, search: str) -> str:
    """The filters and the order of a list, as its address says them; what was searched for is hidden."""
    said = [f"{key}={_HIDDEN if key == search else value}" for key, values in query.lists() for value in values]
    return masked_text("&".join(said))[:_LONGEST_FILTER]
