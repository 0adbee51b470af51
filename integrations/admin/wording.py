"""How it goes with an account, in words; the dashboard says the same. How many there are, where they may be many."""

from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.wording import moment_text
from integrations.alerts.faults import advice, figures_of
from integrations.models import AccountState
from merchants.admin.badges import badge
from merchants.admin.masking import masked_text

_MOST_COUNTED = 1000


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


def counted(rows: QuerySet[Any]) -> str:
    """How many rows there are, up to a thousand."""
    count = rows.order_by()[: _MOST_COUNTED + 1].count()
    return f"{_MOST_COUNTED}+" if count > _MOST_COUNTED else str(count)


def queued_and_failed(queued: QuerySet[Any], failed: QuerySet[Any], address: str, words: str) -> SafeString:
    """How many wait and how many have failed, and the way to the list of all of them."""
    many = counted(failed)
    return format_html(
        '<span class="flex flex-wrap gap-2 items-center">{} {} <a class="text-link" href="{}">{}</a></span>',
        badge(f"{gettext('Queued')} {counted(queued)}", "info"),
        badge(f"{gettext('Failed')} {many}", "default" if many == "0" else "danger"),
        address, words,
    )  # fmt: skip


def stop_notice(state: AccountState) -> str:
    """Since when and why an account is stopped, and what to mend."""
    since = gettext("Stopped since %(time)s: dfire refuses this account.") % {"time": moment_text(state.stopped_at)}
    return format_html("<strong>{}</strong><br>{}<br>{}", since, _said(state), advice(figures_of(state)))


def _said(state: AccountState) -> str:
    return masked_text(f"{state.stop_code} {state.stop_message}".strip())
