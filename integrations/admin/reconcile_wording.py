"""Comparisons with dfire in words: states, what each difference means, and both sides of one."""

from typing import Any

from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.choices import CouponStatus, Delivery
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import Drift, FindingState, RunState
from integrations.reconcile.words import describe
from merchants.admin.badges import Variant
from merchants.admin.masking import masked_text
from merchants.models.customer import mask_mobile

RUN_VARIANTS: dict[str, Variant] = {
    RunState.RUNNING: "primary",
    RunState.PLANNED: "warning",
    RunState.NEEDS_CONFIRMATION: "danger",
    RunState.APPLIED: "success",
    RunState.FAILED: "danger",
    RunState.CANCELLED: "default",
}
FINDING_VARIANTS: dict[str, Variant] = {
    FindingState.OPEN: "warning",
    FindingState.QUEUED: "info",
    FindingState.REPAIRED: "success",
    FindingState.IGNORED: "default",
    FindingState.STALE: "default",
}
MEANINGS: dict[str, Any] = {
    Drift.MISSING_THERE: _("The customer should hold it, and dfire does not list it. dfire is asked again first."),
    Drift.UNKNOWN_HERE: _("dfire lists a code that was not issued here."),
    Drift.REDEEMED_THERE: _("dfire says used. The till has given the discount, so it counts."),
    Drift.REDEEMED_HERE: _("Redeemed here, and a till would still take it."),
    Drift.HOLDER_DIFFERS: _("dfire shows it with someone else than its customer."),
    Drift.STILL_HELD: _("Revoked or expired here, and a till would still take it."),
    Drift.UNDELIVERED_HERE: _("dfire holds it, although its delivery did not succeed here."),
    Drift.PROMOTION_DIFFERS: _("Title, dates or shops differ. Saving again writes ours over dfire's."),
    Drift.PROMOTION_MISSING: _("dfire does not list a promotion that coupons need."),
    Drift.PROMOTION_UNKNOWN: _("dfire does not say its terms: staff enter them in the draft, then publish it."),
}
_FIELDS: dict[str, Any] = {
    "title": _("title"),
    "start_date": _("start date"),
    "end_date": _("end date"),
    "shops": _("shops"),
}
_THERE: dict[str, Any] = {
    "held": _("held, unused"),
    "used": _("used"),
    "transferred": _("given on"),
    "absent": _("not listed"),
}


def trouble(run: Reconciliation) -> str:
    """What stands in a run's way, in words."""
    said = masked_text(describe(run.message))
    if run.state == RunState.RUNNING and run.tries:
        waits = gettext("dfire does not answer (%(said)s). It goes on by itself at %(time)s.")
        return waits % {"said": said, "time": formats.time_format(run.resume_at.astimezone(), "H:i:s")}
    return said if run.state == RunState.FAILED else ""


def percent(run: Reconciliation) -> str:
    """How much of what is outstanding the plan takes back."""
    return f"{run.withdrawals * 100 / run.outstanding:.1f}" if run.outstanding else "100"


def here(finding: Finding) -> str:
    """Our side."""
    details = finding.details
    if finding.kind in (Drift.PROMOTION_DIFFERS, Drift.PROMOTION_MISSING):
        return _sides(details, 0)
    if "status" not in details:
        return gettext("unknown")
    return f"{CouponStatus(details['status']).label} · {Delivery(details['delivery']).label}"


def there(finding: Finding) -> str:
    """dfire's side."""
    details = finding.details
    if finding.kind == Drift.PROMOTION_DIFFERS:
        return _sides(details, 1)
    if finding.kind == Drift.PROMOTION_MISSING:
        return str(_THERE["absent"])
    if finding.kind == Drift.PROMOTION_UNKNOWN:
        return f"{details['title']} · {details['start_date'] or '?'} – {details['end_date'] or '?'}"
    said = str(_THERE.get(details["there"], details["there"]))
    return f"{said} · {mask_mobile(details['openid'])}" if details.get("openid") else said


def _sides(details: dict[str, Any], side: int) -> str:
    return "; ".join(f"{words}: {_value(details[name][side])}" for name, words in _FIELDS.items() if name in details)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or gettext("all shops")
    return str(value) if value is not None else "-"
