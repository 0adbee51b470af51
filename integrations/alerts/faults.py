"""What to mend when dfire refuses an account's configuration: words for each fault, in one table.

The account's page, the first page and the notice all say it from here.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.dfire import DfireError
from integrations.dfire.codes import Fault, configuration_fault
from integrations.models import AccountState

_AGREES_SECONDS = 2  # the header has whole seconds, and an answer takes its time
_ADVICE: dict[Fault, Any] = {
    Fault.SECRET: _("The signature is refused: enter the app secret again, as dfire's open platform shows it."),
    Fault.KEY: _("The appKey is not known there: compare it with dfire's open platform and enter it again."),
    Fault.RIGHT: _(
        "The right to call %(method)s is missing: ask dfire to give the application the right to this call."
    ),
    Fault.METHOD: _(
        "The call %(method)s is not known there: check the router address, and ask dfire for its name now."
    ),
    Fault.VERSION: _("dfire no longer takes this version of its interface: the portal needs an update."),
    Fault.CLOCK: _("The time is refused: set the clock of the portal's server (NTP). %(clock)s"),
    Fault.ADDRESS: _("Check the router address, its certificate, the appKey and the app secret."),
    Fault.OTHER: _("Check appKey, app secret, router address and the rights of the application at dfire."),
}


def figures_of(state: AccountState) -> dict[str, Any]:
    """Why an account is stopped, as data."""
    return {
        "code": state.stop_code,
        "message": state.stop_message,
        "method": state.stop_method,
        "clock_seconds": state.stop_clock_seconds,
    }


def figures_of_error(error: DfireError) -> dict[str, Any]:
    """The same of an answer that has only just come."""
    exchange = error.exchange
    return {
        "code": error.code,
        "message": error.message,
        "method": exchange.method if exchange else "",
        "clock_seconds": exchange.clock_ahead_seconds if exchange else None,
    }


def advice(figures: Mapping[str, Any]) -> str:
    """What to mend, and that it goes on by itself then. `figures` are those of `figures_of`."""
    words = str(_ADVICE[configuration_fault(str(figures.get("code", "")))])
    mend = words % {"method": figures.get("method") or "?", "clock": _clock(figures.get("clock_seconds"))}
    after = gettext("Everything queued goes out by itself once it is mended: one message tries every 30 seconds.")
    return f"{mend.strip()} {after}"


def _clock(seconds: Any) -> str:
    """By how much the clock is wrong, as far as it was measured; dfire's own word stands in its message."""
    if not isinstance(seconds, int):
        return ""
    if abs(seconds) <= _AGREES_SECONDS:
        return gettext("It agreed with dfire's when it was measured.")
    if seconds > 0:
        return gettext("It is %(seconds)s seconds ahead of dfire's.") % {"seconds": seconds}
    return gettext("It is %(seconds)s seconds behind dfire's.") % {"seconds": -seconds}
