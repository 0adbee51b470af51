"""What a notice says: what has happened, to whom, since when, what to do, and the page to do it on.

Written at the moment of sending, in the portal's own language and in Shanghai's time.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext

from integrations.alerts.kinds import happened, page_of, what_to_do
from integrations.models import Incident, Notice
from integrations.models.alerts import NoticeEvent

_MOST_MERCHANTS = 5


@dataclass(frozen=True, slots=True)
class Message:
    """A title of one line and a text of a few."""

    title: str
    text: str


def message_of(notice: Notice) -> Message:
    """The words of a notice."""
    with translation.override(settings.LANGUAGE_CODE):
        return _over(notice.incident) if notice.event == NoticeEvent.CLOSED else _begun(notice.incident)


def trial_message(name: str) -> Message:
    """What the admin's test sends to the target of this name."""
    with translation.override(settings.LANGUAGE_CODE):
        text = gettext("This is a test from the coupon portal for the alert target %(name)s. Nothing is the matter.")
        return Message(gettext("Test from the coupon portal"), _lines(text % {"name": name}, link_to("/admin/")))


def concerned(incident: Incident) -> str:
    """Whom it concerns: the merchant, or the account with the merchants that use it."""
    if incident.merchant is not None:
        return str(incident.merchant)
    if incident.account is None:
        return gettext("the whole portal")
    names = [str(merchant) for merchant in incident.account.merchants.all()[: _MOST_MERCHANTS + 1]]
    more = ["…"] if len(names) > _MOST_MERCHANTS else []
    account = gettext("dfire account %(name)s") % {"name": incident.account}
    return f"{account} ({', '.join(names[:_MOST_MERCHANTS] + more)})" if names else account


def link_to(path: str) -> str:
    """The whole address of a page of the portal; the path alone where PORTAL_URL is not set."""
    return f"{settings.PORTAL_URL}{path}" if path else ""


def _begun(incident: Incident) -> Message:
    title = gettext("[%(severity)s] %(kind)s: %(subject)s") % {
        "severity": incident.get_severity_display(), "kind": incident.get_kind_display(), "subject": _about(incident),
    }  # fmt: skip
    return Message(
        title,
        _lines(
            happened(incident),
            gettext("Concerns: %(whom)s") % {"whom": concerned(incident)},
            gettext("Since: %(time)s") % {"time": _moment(incident.opened_at)},
            gettext("What to do: %(words)s") % {"words": what_to_do(incident)},
            link_to(page_of(incident)),
        ),
    )


def _over(incident: Incident) -> Message:
    closed_at = incident.closed_at or timezone.now()
    minutes = max(1, round((closed_at - incident.opened_at).total_seconds() / 60))
    title = gettext("[over] %(kind)s: %(subject)s") % {
        "kind": incident.get_kind_display(), "subject": _about(incident)
    }  # fmt: skip
    return Message(
        title,
        _lines(
            gettext("It is over since %(end)s. It began at %(begin)s, %(minutes)s minutes before.")
            % {"end": _moment(closed_at), "begin": _moment(incident.opened_at), "minutes": minutes},
            gettext("Concerns: %(whom)s") % {"whom": concerned(incident)},
            link_to(page_of(incident)),
        ),
    )


def _about(incident: Incident) -> str:
    return str(incident.merchant or incident.account or gettext("the whole portal"))


def _moment(instant: datetime) -> str:
    return timezone.localtime(instant).strftime("%Y-%m-%d %H:%M")


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)
