"""How it goes with an account, in words; the dashboard says the same."""

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.wording import moment_text
from integrations.alerts.faults import advice, figures_of
from integrations.models import AccountState
from merchants.admin.badges import badge
from merchants.admin.masking import masked_text


def how_it_runs(state: AccountState | None) -> str:
    """Whether an account's calls go out, as a badge."""
    if state is None:
        return badge(_("not used yet"))
    if state.stopped_at:
        return badge(_("halted"), "danger", hint=_said(state))
    return badge(_("running"), "success")


def removed_words(row: Any) -> str:
    """That a record's contents have gone, and when; nothing where they are there."""
    if row.blanked_at is None:
        return ""
    return gettext("Contents removed on %(time)s; what happened stays.") % {"time": moment_text(row.blanked_at)}


def stop_notice(state: AccountState) -> str:
    """Since when and why an account is stopped, and what to mend."""
    since = gettext("Stopped since %(time)s: dfire refuses this account.") % {"time": moment_text(state.stopped_at)}
    return format_html("<strong>{}</strong><br>{}<br>{}", since, _said(state), advice(figures_of(state)))


def _said(state: AccountState) -> str:
    return masked_text(f"{state.stop_code} {state.stop_message}".strip())
