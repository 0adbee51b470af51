"""Each kind of incident in one table: how bad it is, what has happened, what to do, and the page to do it on.

The words' figures are those that `raise_incident` was given; a notice, the list and the page all say the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from integrations.alerts.faults import advice
from integrations.models import Incident
from integrations.models.alerts import IncidentKind, Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """`happened` takes the figures by name, each missing one reads "?"; `page` is "" where whoever raises it knows."""

    severity: Severity
    happened: Any
    remedy: Callable[[Mapping[str, Any]], str]
    page: Callable[[Incident], str]


def _says(words: Any) -> Callable[[Mapping[str, Any]], str]:
    return lambda figures: str(words)


def _list(model: str, **query: str) -> Callable[[Incident], str]:
    """The rows of a list that the incident is about."""

    def address(incident: Incident) -> str:
        narrowed = {**query, "merchant__id__exact": str(incident.merchant_id)} if incident.merchant_id else query
        return f"{reverse(f'admin:integrations_{model}_changelist')}?{urlencode(narrowed)}"

    return address


def _inbox(incident: Incident) -> str:
    return f"{reverse('admin:integrations_dfirecallback_changelist')}?open=yes"


def _account(incident: Incident) -> str:
    return reverse("admin:merchants_dfireaccount_change", args=[incident.account_id])


def _given(incident: Incident) -> str:
    return incident.page


KINDS: dict[str, Kind] = {
    IncidentKind.ACCOUNT_STOPPED: Kind(
        Severity.CRITICAL,
        _("dfire refuses this account (%(code)s %(message)s). Nothing is sent under it; all that is queued is kept."),
        advice,
        _account,
    ),
    IncidentKind.QUEUE_TOO_OLD: Kind(
        Severity.CRITICAL,
        _("Messages to dfire that have been queued for more than %(minutes)s minutes: %(count)s."),
        _says(
            _(
                "Look at what their last results say. If they have none, look whether the workers run; "
                "if a template's own message failed, mend and retry that first."
            )
        ),
        _list("outboxrow", state__exact="queued"),
    ),
    IncidentKind.DEAD_LETTERS: Kind(
        Severity.WARNING,
        _("Messages to dfire that failed and are not tried again by themselves: %(count)s."),
        _says(_("Mend what their messages name, then retry them, or give them up.")),
        _list("outboxrow", state__exact="dead"),
    ),
    IncidentKind.UNMATCHED_CALLBACKS: Kind(
        Severity.WARNING,
        _("Redemptions from dfire that could not be applied for more than %(minutes)s minutes: %(count)s."),
        _says(_("Follow the suggested decision of each, or settle it by hand.")),
        _inbox,
    ),
    IncidentKind.DRIFT: Kind(
        Severity.WARNING,
        _("Differences between dfire and the portal: %(count)s."),
        _says(_("Look at the plan and repair the rows that you agree with.")),
        _given,
    ),
    IncidentKind.WEBHOOK_OFF: Kind(
        Severity.WARNING,
        _(
            "The webhook %(url)s of %(app)s was switched off, because it takes nothing any more (last HTTP status: "
            "%(status)s). What is pending is kept."
        ),
        _says(_("Ask the partner to mend it, send a test event, then switch it on again.")),
        _given,
    ),
    IncidentKind.REPORTS_STOPPED: Kind(
        Severity.WARNING,
        _("The platform %(platform)s refuses consume reports (%(code)s %(message)s). All of them are kept."),
        _says(_("Enter address, app_id and app_secret anew at the smart-coupon account; reports then go on.")),
        _given,
    ),
    IncidentKind.CODES_GUESSED: Kind(
        Severity.CRITICAL,
        _(
            "The partner app %(app)s has asked for %(count)s coupon codes that are not there. It gets no answers about "
            "codes that it has not issued or redeemed itself."
        ),
        _says(
            _(
                "Look in the app's console which codes it asks for and from where. If somebody guesses, end its key; "
                "if it was an error, let it go on."
            )
        ),
        _given,
    ),
}


class _Figures(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


def happened(incident: Incident) -> str:
    """What has happened, in the active language."""
    return str(KINDS[incident.kind].happened) % _Figures(incident.figures)


def what_to_do(incident: Incident) -> str:
    """What people can do about it, in the active language."""
    return KINDS[incident.kind].remedy(incident.figures)


def page_of(incident: Incident) -> str:
    """The path of the admin page to do it on, "" if there is none."""
    return KINDS[incident.kind].page(incident)
