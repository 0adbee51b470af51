"""The file of the rows of a batch whose customers got no coupon: as they were typed, with the reasons."""

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext, override

from coupons.batches import problem_words
from coupons.models import Batch
from merchants.admin.masking import sees_mobiles
from merchants.models.customer import mask_mobile

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """What csv writes to; hands each line on."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line


def turned_down(request: HttpRequest, batch: Batch) -> StreamingHttpResponse:
    """The rows as CSV that Excel reads (UTF-8 with its mark), row by row.

    Whoever made the batch has typed the numbers; others see them as their rights let them.
    """
    whole = sees_mobiles(request) or batch.created_by_id == request.user.pk
    response = StreamingHttpResponse(_lines(batch, get_language() or "en", whole=whole), "text/csv; charset=utf-8")
    name = gettext("batch %(id)s without a coupon") % {"id": batch.pk}
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.csv") or ""
    return response


def _lines(batch: Batch, language: str, *, whole: bool) -> Iterator[str]:
    write: Any = csv.writer(_Line()).writerow
    rows = batch.rows.exclude(problem="").order_by("number").values_list("number", "text", "problem")
    with override(language):
        yield "\ufeff" + write([gettext("customer"), gettext("reason"), gettext("row")])
        for number, text, problem in rows.iterator(chunk_size=2000):
            shown = text if whole else mask_mobile(text)
            yield write([f"'{shown}" if shown.startswith(_FORMULAS) else shown, problem_words(problem), number])
