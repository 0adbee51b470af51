"""What was said about a coupon to others and by others, for its timeline: pushes, outbox rows, attempts, callbacks."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.extension import tells_of_coupons
from coupons.admin.timeline import Entry
from coupons.models import IssuedCoupon
from integrations.admin.inbox_wording import VARIANTS
from integrations.admin.remedies import (
    RESULT_VARIANTS,
    STATE_VARIANTS,
    result_words,
    trouble,
    what_to_do,
)
from integrations.admin.reports import REPORT_VARIANTS, report_trouble
from integrations.admin.wording import removed_words
from integrations.models import ApiCall, ConsumeReport, DfireCallback, OutboxAttempt, OutboxRow, Push
from integrations.partner_api.calls import route_words
from merchants.admin.actors import actor_words
from merchants.admin.masking import masked_json, shown_json, shown_text

MOST_ATTEMPTS = 200
MOST_CALLS = 100


@tells_of_coupons
def pushes(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """The push that gave the coupon, and its repeats."""
    for push in Push.objects.filter(coupon=coupon).select_related("account"):
        yield Entry(
            at=push.received_at,
            title=_("Push, repeated") if push.repeated else _("Push"),
            icon="move_to_inbox",
            by=str(push.account),
            badge=str(push.status),
            badge_variant="success" if push.status < 400 else "danger",
            text=removed_words(push),
            details=[]
            if push.blanked_at
            else [
                (_("as received"), shown_json(request, push.body)),
                (_("answer"), shown_json(request, push.answer)),
            ],
            rank=0,
        )


@tells_of_coupons
def rows(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """What is or was to be told to dfire."""
    for row in OutboxRow.objects.filter(coupon=coupon):
        yield Entry(
            at=row.created_at,
            title=_("To tell dfire: %(what)s") % {"what": row.get_kind_display()},
            icon="outbox",
            text=" ".join(word for word in (trouble(row), what_to_do(row)) if word),
            badge=row.get_state_display(),
            badge_variant=STATE_VARIANTS.get(row.state, "default"),
            link=reverse("admin:integrations_outboxrow_change", args=[row.pk]),
            rank=2,
        )


@tells_of_coupons
def attempts(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """Each call to dfire, with its request and its answer; of very many the latest."""
    latest = OutboxAttempt.objects.filter(row__coupon=coupon).select_related("row").order_by("-pk")
    for attempt in latest[:MOST_ATTEMPTS]:
        took = "" if attempt.duration_ms is None else gettext("%(ms)s ms") % {"ms": attempt.duration_ms}
        said = [attempt.code, shown_text(request, attempt.message), took, removed_words(attempt)]
        yield Entry(
            at=attempt.started_at,
            title=f"{attempt.row.get_kind_display()} · {attempt.get_phase_display()}",
            icon="call_made",
            by=attempt.method,
            text=" · ".join(word for word in said if word),
            badge=result_words(attempt.result),
            badge_variant=RESULT_VARIANTS.get(attempt.result, "default"),
            details=[]
            if attempt.blanked_at
            else [
                (_("request"), shown_json(request, attempt.request)),
                (_("answer"), shown_json(request, attempt.answer)),
            ],
            rank=3,
        )


@tells_of_coupons
def callbacks(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """What tills reported."""
    for callback in DfireCallback.objects.filter(coupon=coupon):
        yield Entry(
            at=callback.received_at,
            title=_("Callback from dfire") if callback.parameters or callback.blanked_at else _("Seen in dfire's list"),
            icon="call_received",
            by=actor_words(callback.decided_by) if callback.decided_by else "",
            badge=callback.get_state_display(),
            text=" · ".join(filter(None, [callback.get_decision_display(), removed_words(callback)])),
            badge_variant=VARIANTS.get(callback.state, "default"),
            details=[(_("as received"), shown_json(request, callback.parameters))] if callback.parameters else [],
            link=reverse("admin:integrations_dfirecallback_change", args=[callback.pk]),
            rank=4,
        )


@tells_of_coupons
def partner_calls(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """What partners' applications asked of it and did to it; of very many the latest."""
    for call in ApiCall.objects.filter(coupon=coupon).select_related("app").order_by("-pk")[:MOST_CALLS]:
        yield Entry(
            at=call.at,
            title=_("Call of the partner API: %(call)s") % {"call": route_words(call)},
            icon="api",
            by=str(call.app),
            text=" · ".join(word for word in (call.code, removed_words(call)) if word),
            badge=str(call.status),
            badge_variant="success" if call.status < 400 else "warning" if call.status < 500 else "danger",
            details=[
                (label, masked_json(text))
                for label, text in ((_("request"), call.body), (_("answer"), call.answer))
                if text
            ],
            link=reverse("admin:integrations_apicall_change", args=[call.pk])
            if request.user.has_perm("integrations.view_apicall")
            else "",
            rank=0,
        )


@tells_of_coupons
def reports(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """The report of its redemption to the platform that pushed it."""
    for report in ConsumeReport.objects.filter(coupon=coupon).select_related("account__report_lane"):
        yield Entry(
            at=report.settled_at or report.sent_at or report.created_at,
            title=_("Redemption reported to the platform"),
            icon="outgoing_mail",
            by=str(report.account),
            text=report_trouble(report),
            badge=report.get_state_display(),
            badge_variant=REPORT_VARIANTS.get(report.state, "default"),
            link=reverse("admin:integrations_consumereport_change", args=[report.pk]),
            rank=5,
        )
