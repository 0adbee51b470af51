"""Beginning a batch: a file becomes rows, a recall gets its count. Nothing is issued here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from django.db import connection, transaction
from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.approvals import limits
from coupons.batches.problems import RowProblem
from coupons.choices import BatchKind, BatchState, CouponStatus
from coupons.errors import Reason, Refused
from coupons.models import Batch, CouponTemplate, IssuedCoupon
from coupons.signals import batch_wanted
from merchants.models.customer import is_mobile
from merchants.privacy import without_names
from merchants.tables import TableError, rows_of

MOST_CUSTOMERS = 200_000
LONGEST_NAME = 128
_COPY = "COPY coupons_batchrow (batch_id, number, text, problem, created_at) FROM STDIN"

# Which column names the customer, the better name first; headings as they are met in files, in lower case.
_COLUMNS = (
    ("identifier", "id", "customer", "member", "会员", "会员标识", "会员号", "会员编号", "标识", "编号", "顾客"),
    ("mobile", "mobile number", "phone", "手机", "手机号", "手机号码", "电话", "会员手机号"),
    ("openid", "open id", "微信openid"),
)  # fmt: skip


@transaction.atomic
def begin_issue(
    template: CouponTemplate,
    source: IO[bytes] | str,
    *,
    name: str = "",
    valid_until: datetime | None = None,
    by: Any = None,
) -> Batch:
    """Take over a file (or pasted text) of customers, one a row, to be checked.

    The column is found by its heading (identifier, mobile or openid); without a heading it is the first.

    Args:
        name: mobile numbers are taken out of it: requests and the audit trail keep it for good.
        valid_until: the last second of validity of what is issued (aware); None leaves it to the terms.
        by: the user who asks.

    Raises:
        TableError: it cannot be read, names nobody, or too many.
    """
    batch = Batch.objects.create(
        kind=BatchKind.ISSUE, merchant=template.merchant, template=template, name=without_names(name, ()),
        valid_until=valid_until, created_by=by,
    )  # fmt: skip
    if not _store(batch, source):
        raise TableError(_("There is no customer in it. Put one in each row: identifier, mobile number or openid."))
    batch_wanted.send(Batch, batch=batch)
    return batch


def outstanding(*, template: CouponTemplate, batch: Batch | None = None) -> QuerySet[IssuedCoupon]:
    """What a recall of the template, or of one of its batches, would take back."""
    coupons = IssuedCoupon.objects.filter(
        template=template, status__in=[CouponStatus.ISSUED, CouponStatus.REDEEMING]
    )  # fmt: skip
    return coupons if batch is None else coupons.filter(batch=batch)


@dataclass(frozen=True, slots=True)
class Out:
    """What a recall would take back: how many, the last of them by key, and what they count in the budget (fen)."""

    coupons: int
    last: int | None
    value_fen: int | None


def counted_out(*, template: CouponTemplate, batch: Batch | None = None, last: int | None = None) -> Out:
    """Count `outstanding`, up to the coupon with the key `last`. Bounded by what is out."""
    found = outstanding(template=template, batch=batch)
    found = found if last is None else found.filter(pk__lte=last)
    sums = found.aggregate(coupons=Count("pk"), last=Max("pk"), fen=Sum("cost_fen"))
    return Out(sums["coupons"], sums["last"], sums["fen"])


@transaction.atomic
def begin_recall(
    template: CouponTemplate,
    *,
    batch: Batch | None = None,
    reason: str,
    by: Any = None,
    approved_to: int | None = None,
) -> Batch:
    """Take back, from now on, what is out of the template (or of one batch of it) at this moment.

    Whoever calls has asked staff, with the number.

    Args:
        approved_to: a second person has said yes to it, up to the coupon with this key.

    Raises:
        Refused: there is nothing to recall, or the batch (one of the template) is still issuing.
        NeedsApproval: it is above what one may do alone.
    """
    may_begin_recall(template, batch)
    # Whoever issues holds the template to the commit: with it locked, every coupon that is out can be seen.
    CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    may_begin_recall(template, batch)
    out = counted_out(template=template, batch=batch, last=approved_to)
    if not out.coupons:
        raise Refused(Reason.NOTHING_OUT)
    if approved_to is None:
        limits.stand_alone(template, coupons=out.coupons, value_fen=out.value_fen, gives=False, by=by)
    recall = Batch.objects.create(
        kind=BatchKind.RECALL, state=BatchState.RUNNING, merchant=template.merchant, template=template, recalls=batch,
        reason=reason, created_by=by, started_at=timezone.now(), total=out.coupons, summary={"last": out.last},
    )  # fmt: skip
    batch_wanted.send(Batch, batch=recall)
    return recall


def may_begin_recall(template: CouponTemplate, batch: Batch | None) -> None:
    """Nothing is recalled that is still being issued.

    Raises:
        Refused: the batch, or one of the template, is still issuing.
    """
    if batch is not None and batch.state not in (BatchState.DONE, BatchState.CANCELLED):
        raise Refused(Reason.BATCH_RUNS)
    if batch is None and template.batches.filter(kind=BatchKind.ISSUE, state=BatchState.RUNNING).exists():
        raise Refused(Reason.BATCH_RUNS)


def _store(batch: Batch, source: IO[bytes] | str) -> int:
    """Keep the rows, by COPY because someone waits for the page, and tell how many there are."""
    count, now = 0, timezone.now()
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for number, text, problem in _rows(source):
            count += 1
            if count > MOST_CUSTOMERS:
                said = {"most": f"{MOST_CUSTOMERS:,}"}
                raise TableError(_("The file names more than %(most)s customers. Split it.") % said)
            copy.write_row((batch.pk, number, text, problem, now))
    return count


def _rows(source: IO[bytes] | str) -> Iterator[tuple[int, str, str]]:
    """Of each row that names someone: its number, what is typed, and what is wrong with that."""
    columns: list[int] | None = None
    mobiles = False
    for number, cells in rows_of(source):
        if columns is None:
            columns, mobiles = _columns(cells)
            if columns:
                continue
            columns = [0]
        text = next((cells[column] for column in columns if column < len(cells) and cells[column]), "")
        if text:
            yield (number, *_row(text, mobiles=mobiles))


def _columns(cells: list[str]) -> tuple[list[int], bool]:
    """Where the customers stand if this row is a heading, and whether they are mobile numbers and nothing else."""
    headings = [cell.casefold() for cell in cells]
    found = [[at for at, heading in enumerate(headings) if heading in names] for names in _COLUMNS]
    return [at for kind in found for at in kind], bool(found[1]) and not found[0] and not found[2]


def _plain(text: str) -> str:
    """A mobile number without the spaces, hyphens and +86 that people write it with."""
    return "".join(text.split()).replace("-", "").removeprefix("+86")


def _looks_like_mobile(text: str) -> bool:
    """Whether a text that may be any name is plainly a mobile number, perhaps with a digit too many or missing."""
    digits = _plain(text)
    return digits.isascii() and digits.isdigit() and digits.startswith("1") and 10 <= len(digits) <= 12


def _row(text: str, *, mobiles: bool) -> tuple[str, str]:
    problem = ""
    if len(text) > LONGEST_NAME:
        problem = RowProblem.TOO_LONG
    elif not text.isprintable():
        problem = RowProblem.NOT_READABLE
    elif mobiles or _looks_like_mobile(text):
        if is_mobile(_plain(text)):
            text = _plain(text)
        else:
            problem = RowProblem.NOT_A_MOBILE
    return text[:LONGEST_NAME], str(problem)
