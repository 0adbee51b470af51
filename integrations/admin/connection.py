"""Asking dfire one harmless question, so that staff know whether an account works before customers find out."""

import time

from django.utils.translation import gettext

from integrations.admin.remedies import remedy
from integrations.alerts.faults import advice, figures_of_error
from integrations.dfire import ConfigurationError, DfireError
from integrations.outbox.probing import ask
from merchants.admin.masking import masked_text
from merchants.models import DfireAccount


def try_connection(account: DfireAccount) -> tuple[bool, str]:
    """List the promotions of the account's first merchant. Touches the network: not inside a transaction.

    Returns:
        Whether dfire answered well, and what to say.
    """
    merchant = account.merchants.order_by("pk").first()
    if merchant is None:
        return False, gettext("No merchant uses this account yet; the test needs one to ask about.")
    began = time.monotonic()
    try:
        reply = ask(account, merchant)
    except DfireError as error:
        said = masked_text(f"{error.code} {error.message}".strip())
        words = gettext("dfire did not accept the call for %(merchant)s (%(ms)s ms): %(said)s. %(remedy)s")
        took = round((time.monotonic() - began) * 1000)
        return False, words % {"merchant": merchant, "said": said, "remedy": _remedy(error), "ms": took}
    except ValueError as error:
        return False, gettext("The account cannot be used: %(why)s") % {"why": error}
    words = gettext("It works: dfire lists %(count)s promotions for %(merchant)s, answered in %(ms)s ms.")
    facts = {"count": len(reply.value), "merchant": merchant, "ms": reply.exchange.duration_ms}
    return True, words % facts


def _remedy(error: DfireError) -> str:
    return advice(figures_of_error(error)) if isinstance(error, ConfigurationError) else remedy(error.result_class)
