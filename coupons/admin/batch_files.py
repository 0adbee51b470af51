"""The file of the rows of a batch whose customers got no coupon: as they were typed, with the reasons."""

from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext, override

from coupons.batches import problem_words
from coupons.models import Batch
from merchants.admin.masking import masked_digits, sees_mobiles
from merchants.rights import EXPORT, has_right
from merchants.tables import Row, csv_chunks


def may_take_away(request: HttpRequest, batch: Batch) -> bool:
    """Whoever made the batch has the file already; others need the right to take lists away."""
    return batch.created_by_id == request.user.pk or has_right(request.user, EXPORT)


def turned_down(request: HttpRequest, batch: Batch) -> StreamingHttpResponse:
    """The rows as CSV, row by row.

    Whoever made the batch has typed the numbers; others see them as their rights let them.
    """
    whole = sees_mobiles(request) or batch.created_by_id == request.user.pk
    headings = [gettext("customer"), gettext("reason"), gettext("row")]
    rows = _rows(batch, get_language() or "en", whole=whole)
    response = StreamingHttpResponse(csv_chunks(headings, rows), "text/csv; charset=utf-8")
    name = gettext("batch %(id)s without a coupon") % {"id": batch.pk}
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.csv") or ""
    return response


def _rows(batch: Batch, language: str, *, whole: bool) -> Iterator[Row]:
    rows = batch.rows.exclude(problem="").order_by("number").values_list("number", "text", "problem")
    for number, text, problem in rows.iterator(chunk_size=2000):
        with override(language):  # the answer is written after the request's own language has been let go
            words = problem_words(problem)
        yield text if whole else masked_digits(text), words, number
