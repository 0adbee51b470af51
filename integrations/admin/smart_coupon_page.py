"""What an account's page shows besides its form: its addresses, its last pushes, how it goes with its reports."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.admin.reports import said
from integrations.admin.wording import removed_words
from integrations.models import ConsumeReport, Push
from integrations.models.reports import ReportState
from merchants.admin.badges import badge, notice, page_of
from merchants.admin.masking import shown_json
from merchants.models import SmartCouponAccount

MOST_PUSHES = 50
_MOST_COUNTED = 1000


def address(request: HttpRequest, account: SmartCouponAccount, name: str) -> str:
    """One of its addresses, to copy."""
    full = request.build_absolute_uri(reverse(name, args=[account.token]))
    return format_html(
        '<div class="portal-copy-line"><code class="portal-copy">{}</code>'
        '<button type="button" class="portal-copy-button" data-copy="{}" data-copied="{}" data-selected="{}">'
        '<span class="material-symbols-outlined">content_copy</span><span data-label>{}</span></button></div>',
        full, full, gettext("Copied"), gettext("Press Ctrl+C"), gettext("Copy"),
    )  # fmt: skip


def old_addresses(account: SmartCouponAccount) -> str:
    """A box that says until when the old addresses work."""
    assert account.previous_until is not None  # nosec B101 # shown only while they do
    used = gettext("No push has come to them since.")
    if account.previous_used_at is not None:
        used = gettext("A push last came to them %(time)s.") % {"time": _moment(account.previous_used_at)}
    words = gettext("The addresses from before still work until %(time)s. %(used)s They end by themselves.")
    return notice(words % {"time": _moment(account.previous_until), "used": used}, "info")


def last_pushes(account: SmartCouponAccount) -> list[Push]:
    """The account's last pushes, the newest first."""
    found = Push.objects.filter(account=account).select_related("template", "coupon").order_by("-id")
    return list(found[:MOST_PUSHES])


def pushes_table(request: HttpRequest, pushes: list[Push]) -> str:
    """Them with their answers."""
    if not pushes:
        return gettext("Nothing has been pushed yet. Enter the two addresses at the platform.")
    rows = [[_when(push), _what(push), _answer(push), _said(request, push)] for push in pushes]
    headers = [gettext("Received"), gettext("Push"), gettext("Answer"), gettext("What was said")]
    table = {"headers": headers, "rows": rows}
    return render_to_string("admin/integrations/smart_coupon_pushes.html", {"table": table}, request=request)


def revision_seen(pushes: list[Push]) -> str:
    """The revision of the last push that showed one."""
    seen = next((push for push in pushes if push.revision is not None), None)
    if seen is None:
        return "-"
    words = gettext("Revision %(number)s, last pushed %(time)s")
    return words % {"number": seen.revision, "time": _moment(seen.received_at)}


def reports_state(account: SmartCouponAccount) -> str:
    """Whether reports go out, how many wait and how many have failed."""
    if not account.wants_reports:
        return gettext("Nothing is reported: enter address, app_id and app_secret.")
    lane = getattr(account, "report_lane", None)
    boxes = []
    if lane is not None and lane.stopped_at is not None:
        words = gettext("Reports have stopped: %(why)s They go on by themselves once this is mended.")
        boxes.append(notice(words % {"why": said(lane.code, lane.message)}, "danger"))
    queued = badge(f"{gettext('Queued')} {_count(account, ReportState.QUEUED)}", "info")
    many = _count(account, ReportState.DEAD)
    failed = badge(f"{gettext('Failed')} {many}", "default" if many == "0" else "danger")
    address = f"{reverse('admin:integrations_consumereport_changelist')}?state__exact=dead"
    link = format_html('<a class="text-link" href="{}">{}</a>', address, gettext("Failed reports"))
    return format_html_join(" ", "{}", [(part,) for part in (*boxes, queued, failed, link)])


def _count(account: SmartCouponAccount, state: str) -> str:
    count = ConsumeReport.objects.filter(account=account, state=state).order_by()[: _MOST_COUNTED + 1].count()
    return f"{_MOST_COUNTED}+" if count > _MOST_COUNTED else str(count)


def _moment(at: datetime) -> str:
    return str(date_format(localtime(at), "DATETIME_FORMAT"))


def _when(push: Push) -> str:
    return format_html("<time>{}</time>", date_format(localtime(push.received_at), "SHORT_DATETIME_FORMAT"))


def _what(push: Push) -> str:
    made: Any = push.coupon or push.template
    repeated = badge(_("a repeat")) if push.repeated else ""
    revision = f"r{push.revision}" if push.revision else ""
    return format_html("{} {} {}<br>{}", push.get_address_display(), revision, repeated, page_of(made) if made else "")


def _answer(push: Push) -> str:
    return badge(str(push.status), "success" if push.status < 400 else "danger")


def _said(request: HttpRequest, push: Push) -> str:
    if push.blanked_at:
        return removed_words(push)
    return format_html(
        '<details><summary>{}</summary><pre class="portal-pre">{}</pre><pre class="portal-pre">{}</pre></details>',
        _short(push), shown_json(request, push.body), shown_json(request, push.answer),
    )  # fmt: skip


def _short(push: Push) -> str:
    """The refusal's words, or that it went well."""
    answer = push.answer if isinstance(push.answer, dict) else {}
    error = answer.get("error")
    words = error.get("message") if isinstance(error, dict) else answer.get("return_msg")
    return str(words) if words else gettext("push and answer")
