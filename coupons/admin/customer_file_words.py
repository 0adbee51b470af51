"""How far a customer file is and what its check found, in words, numbers, samples and a bar."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from coupons.customer_files.working import BROKEN
from merchants.admin.badges import Variant, mono, notice, page_of
from merchants.admin.masking import masked_digits, sees_mobiles, shown
from merchants.choices import AT_WORK, FileState, Verdict, why_words
from merchants.models import Customer, CustomerFile, CustomerFileRow
from merchants.models.customer import is_mobile

MOST_SHOWN = 50
STATE_VARIANTS: dict[str, Variant] = {
    FileState.CHECKING: "info",
    FileState.READY: "warning",
    FileState.RUNNING: "info",
    FileState.STOPPED: "warning",
    FileState.UNREADABLE: "danger",
    FileState.DONE: "success",
    FileState.CANCELLED: "default",
}
_FIELDS = {"mobile": _("mobile"), "openid": _("openid")}


def todo(file: CustomerFile) -> int:
    """How many rows the check found good to be done."""
    return file.new + file.change


def progress_bar(file: CustomerFile) -> str:
    """The bar of the page, which asks for itself again while the file is at work."""
    done, all_rows = file.created + file.changed + file.same + file.refused, todo(file)
    checking = file.state == FileState.CHECKING
    words = ngettext("%(count)s row checked", "%(count)s rows checked", file.position) % {"count": f"{file.position:,}"}
    context = {
        "percent": 100 if file.state == FileState.DONE else min(100, done * 100 // all_rows) if all_rows else 0,
        "words": words if checking else f"{min(done, all_rows):,} / {all_rows:,}",
        "works": file.state in AT_WORK,
        "counting": checking,
    }
    return render_to_string("admin/coupons/batch/progress.html", context)


def result_words(file: CustomerFile) -> str:
    """What came of it, so far as it got."""
    said = gettext(
        "Done: {created} new, {changed} changed, {equal} unchanged, {refused} not done. Deliveries released: {released}"
    )
    return said.format(
        created=f"{file.created:,}", changed=f"{file.changed:,}", equal=f"{file.equal + file.same:,}",
        refused=f"{file.bad + file.refused:,}", released=f"{file.released:,}",
    )  # fmt: skip


def next_step(file: CustomerFile) -> Any:
    """The notice on top of the page: what is the matter or what is to be done."""
    if file.state == FileState.UNREADABLE:
        return notice(file.problem, "danger")
    if file.problem == BROKEN:
        words = gettext(
            "It stopped at an error, and nothing was lost. Resume it; if it stops again, ask your administrator."
        )
        return notice(words)
    if file.state == FileState.CHECKING:
        return notice(
            gettext("The rows are being checked. You may leave this page; nothing is changed by the check."), "info"
        )
    if file.state == FileState.READY and not todo(file):
        return notice(gettext("There is nothing to do in this file."))
    if file.state == FileState.READY:
        words = gettext("Nothing has been changed yet. Look below, then press “Enter these customers”.")
        return notice(words, "info")
    if file.state == FileState.RUNNING:
        return notice(gettext("The customers are being entered. You may leave this page."), "info")
    return notice(result_words(file), "info") if file.started_at else ""


def found(request: HttpRequest, file: CustomerFile) -> str:
    """The dry run: figures, what waits for these customers, and samples of the rows."""
    rows = f"{reverse('admin:merchants_customerfilerow_changelist')}?file__id__exact={file.pk}"
    whole = sees_whole(request, file)
    ready = file.state == FileState.READY
    bad = file.rows.filter(verdict=Verdict.BAD).order_by("number") if file.bad or file.refused else ()
    changes = _rows(file, Verdict.CHANGE).select_related("customer") if ready and file.change else ()
    new = _rows(file, Verdict.NEW) if ready and file.new else ()
    context = {
        "file": file,
        "rows": rows,
        "figures": figures(file),
        "bad": [_cells(row, whole=whole) for row in bad[:MOST_SHOWN]],
        "bad_more": max(0, file.bad + file.refused - MOST_SHOWN),
        "changes": [_change(request, row, whole=whole) for row in changes[:MOST_SHOWN]],
        "changes_more": max(0, file.change - MOST_SHOWN),
        "new": [_cells(row, whole=whole) for row in new[:MOST_SHOWN]],
        "new_more": max(0, file.new - MOST_SHOWN),
    }
    return render_to_string("admin/merchants/customerfile/found.html", context)


def figures(file: CustomerFile) -> list[dict[str, Any]]:
    """What the check found, in rows."""
    return [
        {"key": "new", "label": gettext("new customers"), "count": f"{file.new:,}"},
        {"key": "change", "label": gettext("to be changed"), "count": f"{file.change:,}"},
        {"key": "equal", "label": gettext("the same already"), "count": f"{file.equal:,}"},
        {"key": "bad", "label": gettext("not done"), "count": f"{file.bad + file.refused:,}"},
    ]


def sees_whole(request: HttpRequest, file: CustomerFile) -> bool:
    """Whoever sent the file has typed the numbers; others see them as their rights let them."""
    return sees_mobiles(request) or file.created_by_id == request.user.pk


def _rows(file: CustomerFile, verdict: Verdict) -> Any:
    return file.rows.filter(verdict=verdict).order_by("number")


def _cells(row: CustomerFileRow, *, whole: bool) -> dict[str, Any]:
    """A row as it was typed, and why it is not done."""
    said = (row.identifier, row.mobile, row.openid)
    identifier, mobile, openid = said if whole else map(masked_digits, said)
    why = why_words(row.why, row.other)
    return {"number": row.number, "identifier": identifier, "mobile": mobile, "openid": openid, "why": why}


def _change(request: HttpRequest, row: CustomerFileRow, *, whole: bool) -> dict[str, Any]:
    """A customer with what gets a new value; what is stored is masked for those who may not see it.

    To them a mobile number does not lead to its customer either: thousands could be tried.
    """
    customer, name = row.customer, row.identifier or row.mobile
    hidden = is_mobile(name) and not sees_mobiles(request)
    values = [
        {"label": label, "before": _before(request, getattr(customer, field), hidden=hidden), "after": after}
        for field, label in _FIELDS.items()
        if (after := _cells(row, whole=whole)[field]) and getattr(row, field) != getattr(customer, field)
    ]
    return {"number": row.number, "customer": _named(request, customer, name, hidden=hidden), "values": values}


def _named(request: HttpRequest, customer: Customer | None, name: str, *, hidden: bool) -> Any:
    return mono(shown(request, name)) if hidden else page_of(customer, mono(customer))


def _before(request: HttpRequest, stored: str, *, hidden: bool) -> str:
    return "…" if hidden and stored else shown(request, stored)
