"""How far a batch is and what its check found, in words, numbers and a bar."""

from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from coupons import counting
from coupons.admin.approval_words import waiting_notice, waits
from coupons.admin.money import yuan
from coupons.batches import problem_words
from coupons.choices import ApprovalAct, BatchKind, BatchState
from coupons.models import Batch, CouponTemplate
from merchants.admin.badges import Variant, notice

STATE_VARIANTS: dict[str, Variant] = {
    BatchState.CHECKING: "info",
    BatchState.READY: "warning",
    BatchState.RUNNING: "info",
    BatchState.PAUSED: "warning",
    BatchState.DONE: "success",
    BatchState.CANCELLED: "default",
}
AT_WORK = (BatchState.CHECKING, BatchState.RUNNING)


def percent(batch: Batch) -> int:
    """How much of what is to be done is behind it, in whole percent."""
    return min(100, (batch.done + batch.refused) * 100 // batch.total) if batch.total else 0


def progress_words(batch: Batch) -> str:
    """How many of how many."""
    if batch.state == BatchState.CHECKING:
        words = ngettext("%(count)s row checked", "%(count)s rows checked", batch.position)
        return words % {"count": f"{batch.position:,}"}
    said = f"{batch.done:,} / {batch.total:,}"
    if not batch.refused:
        return said
    left_out = ngettext("%(count)s left out", "%(count)s left out", batch.refused) % {"count": f"{batch.refused:,}"}
    return f"{said} · {left_out}"


def progress_bar(batch: Batch) -> str:
    """The bar of the page, which asks for itself again while the batch is at work."""
    context = {
        "batch": batch,
        "percent": percent(batch),
        "words": progress_words(batch),
        "works": batch.state in AT_WORK,
        "counting": batch.state == BatchState.CHECKING,
    }
    return render_to_string("admin/coupons/batch/progress.html", context)


def bar(batch: Batch) -> str:
    """The bar of the list."""
    if batch.state in (BatchState.CHECKING, BatchState.READY):
        return progress_words(batch) if batch.state == BatchState.CHECKING else f"0 / {batch.total:,}"
    return format_html(
        '<span class="portal-progress"><progress max="100" value="{}" aria-label="{}"></progress>{}</span>',
        percent(batch), gettext("progress"), progress_words(batch),
    )  # fmt: skip


def liability(template: CouponTemplate, count: int) -> str:
    """What so many coupons cost at most, in yuan, or that nobody can say."""
    each = counting.cost_each(template)
    return f"¥{yuan(each * count)}" if each is not None else gettext("not known (a discount)")


def check_found(batch: Batch) -> str:
    """The dry run: how many get one, what is left for them, what it may cost, and why others get none."""
    template = batch.template
    stock, room = template.stock, counting.room_in_budget(template)
    rows = f"{reverse('admin:coupons_batchrow_changelist')}?batch__id__exact={batch.pk}"
    context = {
        "batch": batch,
        "rows": rows,
        "total": f"{batch.total:,}",
        "bad": f"{batch.bad:,}",
        "new": f"{batch.summary.get('new', 0):,}",
        "waiting": f"{batch.summary.get('waiting', 0):,}",
        "reasons": [
            (problem_words(code), f"{count:,}", f"{rows}&problem={code}")
            for code, count in batch.summary.get("reasons", {}).items()
        ],
        "stock_left": None if stock is None else f"{max(0, stock - template.issued_count):,}",
        "budget_left": None if room is None else f"{room:,}",
        "liability": liability(template, batch.total),
    }
    return render_to_string("admin/coupons/batch/found.html", context)


def short_of(batch: Batch) -> str:
    """A warning where stock or budget have no room for all that are still to be given out."""
    open_ones = batch.total - batch.done - batch.refused
    template = batch.template
    stock = None if template.stock is None else template.stock - template.issued_count
    rooms = [room for room in (stock, counting.room_in_budget(template)) if room is not None]
    if batch.kind != BatchKind.ISSUE or not rooms or min(rooms) >= open_ones:
        return ""
    words = gettext("Stock and budget have room for %(room)s of these %(count)s. It will stop there.")
    return words % {"room": f"{max(0, min(rooms)):,}", "count": f"{open_ones:,}"}


def next_step(batch: Batch) -> str:
    """The notice on top of the page: what is the matter or what is to be done; nothing where all is well."""
    if request_waiting := waits(ApprovalAct.ISSUE, batch=batch) or waits(ApprovalAct.RECALL, batch=batch):
        return waiting_notice(request_waiting)
    if batch.problem:
        return notice(_stopped(batch))
    if batch.state == BatchState.READY and not batch.total:
        return notice(gettext("Nobody in this file can get one. Cancel it and mend the file."))
    if batch.state == BatchState.READY:
        words = ngettext(
            "Nothing has been issued yet. %(count)s customer would get a coupon: look below, then press “Start”.",
            "Nothing has been issued yet. %(count)s customers would get a coupon: look below, then press “Start”.",
            batch.total,
        ) % {"count": f"{batch.total:,}"}
        short = short_of(batch)
        return notice(f"{words} {short}" if short else words, "warning" if short else "info")
    if batch.state == BatchState.PAUSED:
        return notice(gettext("Paused. Resume it, and it goes on where it is."))
    return ""


def _stopped(batch: Batch) -> Any:
    words = problem_words(batch.problem)
    advice = gettext("It stopped there. See to that on the template's page, then resume it here; or cancel it.")
    return words if batch.problem == "broken" else f"{words} {advice}"
