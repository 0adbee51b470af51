"""What staff can do about a result: words for each class of result (PROTOCOLS §1), in one table."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.dfire.codes import ResultClass
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox.evidence import ASSUMED
from integrations.outbox.settling import BROKEN, LOST
from integrations.sync.words import describe
from merchants.admin.badges import Variant
from merchants.admin.masking import masked_text

STATE_VARIANTS: dict[str, Variant] = {
    RowState.QUEUED: "info",
    RowState.WAITING: "warning",
    RowState.SENDING: "primary",
    RowState.DONE: "success",
    RowState.DEAD: "danger",
    RowState.CANCELLED: "default",
}
RESULT_VARIANTS: dict[str, Variant] = {
    ResultClass.OK: "success",
    ResultClass.RETRYABLE: "warning",
    ResultClass.UNCERTAIN: "warning",
    ResultClass.CONFIGURATION: "danger",
    ResultClass.PERMANENT: "danger",
    ResultClass.DUPLICATE: "info",
    ResultClass.EMPTY: "info",
    LOST: "warning",
    BROKEN: "danger",
    ASSUMED: "warning",
}
RESULT_WORDS: dict[str, Any] = {
    ResultClass.OK: _("done"),
    ResultClass.RETRYABLE: _("try again"),
    ResultClass.UNCERTAIN: _("outcome unknown"),
    ResultClass.CONFIGURATION: _("account refused"),
    ResultClass.PERMANENT: _("refused"),
    ResultClass.DUPLICATE: _("there already"),
    ResultClass.EMPTY: _("not there"),
    LOST: _("worker lost"),
    BROKEN: _("our fault"),
    ASSUMED: _("perhaps sent"),
    "": _("on its way"),
}
_REMEDIES: dict[str, Any] = {
    ResultClass.RETRYABLE: _(
        "dfire could not take it just now. It is tried again by itself; nothing needs to be done."
    ),
    ResultClass.UNCERTAIN: _("No answer came. dfire is asked whether it happened before it is sent again."),
    ResultClass.CONFIGURATION: _(
        "dfire refuses the account: check key, secret, address and permissions at the dfire account. "
        "Everything queued goes out once it is mended."
    ),
    ResultClass.PERMANENT: _(
        "dfire refused this very request. Mend what its message names (template, customer or merchant), then retry."
    ),
    ResultClass.DUPLICATE: _("dfire has it already. It is compared with dfire's list."),
    ResultClass.EMPTY: _("dfire does not have it."),
    LOST: _("The worker stopped in the middle. If it goes on, tell whoever runs the portal, then retry."),
    BROKEN: _("A fault of the portal's own. Tell whoever runs it, then retry."),
    ASSUMED: _("dfire is asked whether it happened before anything is sent; nothing needs to be done."),
}


def result_words(result: str) -> str:
    """A class of result in a word or two."""
    return str(RESULT_WORDS.get(result, result))


def remedy(result: str) -> str:
    """What to do about a class of result."""
    return str(_REMEDIES.get(result, ""))


def trouble(row: OutboxRow) -> str:
    """What is the matter with a row, in words: dfire's code and message, or what it waits for. No mobile whole."""
    said = masked_text(describe(row.last_message))
    if row.state in (RowState.DONE, RowState.SENDING):
        return ""
    if row.state == RowState.QUEUED and row.held:
        return gettext("It goes out once its template has been saved at dfire.")
    return f"{row.last_code} {said}".strip() if row.last_class not in ("", ResultClass.OK) else said


def what_to_do(row: OutboxRow) -> str:
    """What staff can do about a row that is not settled well."""
    return remedy(row.last_class) if row.state in (RowState.QUEUED, RowState.DEAD) else ""
