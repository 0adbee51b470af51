"""What an account's page shows besides its form: its addresses, its last pushes, how it goes with its reports."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.wording import moment, moment_text
from integrations.admin.reports import said
from integrations.admin.wording import queued_and_failed, removed_words
from integrations.models import ConsumeReport, Push
from integrations.models.reports import ReportState
from merchants.admin.badges import badge, copy_line, notice, page_of
from merchants.admin.masking import shown_json
from merchants.models import SmartCouponAccount

MOST_PUSHES = 50


def address(request: HttpRequest, account: SmartCouponAccount, name: str) -> str:
    """One of its addresses, to copy."""
    return copy_line(request.build_absolute_uri(reverse(name, args=[account.token])))


def old_addresses(account: SmartCouponAccount) -> str:
    """A box that says until when the old addresses work."""
    assert account.previous_until is not None  # nosec B101 # shown only while they do
    used = gettext("No push has come to them since.")
    if account.previous_used_at is not None:
        used = gettext("A push last came to them %(time)s.") % {"time": moment_text(account.previous_used_at)}
    words = gettext("The addresses from before still work until %(time)s. %(used)s They end by themselves.")
    return notice(words % {"time": moment_text(account.previous_until), "used": used}, "info")


def last_pushes(account: SmartCouponAccount) -> list[Push]:
    """The account's last pushes, the newest first."""
    found = Push.objects.filter(account=account).select_related("template", "coupon").order_by("-id")
    return list(found[:MOST_PUSHES])


def pushes_table(request: HttpRequest, pushes: list[Push]) -> str:
    """Them with their answers."""
    if not pushes:
        return gettext("Nothing has been pushed yet. Enter the two addresses at the platform.")
    rows = [[moment(push.received_at), _what(push), _answer(push), _said(request, push)] for push in pushes]
    headers = [gettext("Received"), gettext("Push"), gettext("Answer"), gettext("What was said")]
    table = {"headers": headers, "rows": rows}
    return render_to_string("admin/integrations/smart_coupon_pushes.html", {"table": table}, request=request)


def revision_seen(pushes: list[Push]) -> str:
    """The revision of the last push that showed one."""
    seen = next((push for push in pushes if push.revision is not None), None)
    if seen is None:
        return "-"
    words = gettext("Revision %(number)s, last pushed %(time)s")
    return words % {"number": seen.revision, "time": moment_text(seen.received_at)}


def reports_state(account: SmartCouponAccount) -> str:
    """Whether reports go out, how many wait and how many have failed."""
    if not account.wants_reports:
        return gettext("Nothing is reported: enter address, app_id and app_secret.")
    lane = getattr(account, "report_lane", None)
    boxes: list[str] = []
    if lane is not None and lane.stopped_at is not None:
        why = gettext("Reports have stopped: %(why)s") % {"why": said(lane.code, lane.message)}
        words = format_html("{}<br>{}", why, gettext("They go on by themselves once this is mended."))
        boxes.append(notice(words, "danger"))
    theirs = ConsumeReport.objects.filter(account=account)
    address = f"{reverse('admin:integrations_consumereport_changelist')}?account__id__exact={account.pk}"
    queued, failed = theirs.filter(state=ReportState.QUEUED), theirs.filter(state=ReportState.DEAD)
    boxes.append(queued_and_failed(queued, failed, address, gettext("All reports")))
    return format_html_join("", "{}", [(part,) for part in boxes])


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
