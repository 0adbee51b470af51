"""Why a row waits or fell away: stable English keys in the database, shown translated (`describe`)."""

from django.utils.translation import gettext_lazy as _

from integrations.outbox.evidence import ASSUMED
from integrations.outbox.settling import WORKERS_DIED

OPENID_MISSING = "openid_missing"
MOBILE_MISSING = "mobile_missing"
APPID_MISSING = "appid_missing"
NOT_CONNECTED = "not_connected"
NOT_NEEDED = "not_needed"
NEVER_SENT = "never_sent"

_WORDS = {
    OPENID_MISSING: _("The customer's openid is not known yet; bind it, and the coupon goes out."),
    MOBILE_MISSING: _("The customer's mobile number is not known yet; enter it, and the coupon goes out."),
    APPID_MISSING: _("The merchant's appid is missing; enter it at the merchant."),
    NOT_CONNECTED: _("The merchant has no dfire account; choose one at the merchant."),
    NOT_NEEDED: _("It is not needed any more."),
    NEVER_SENT: _("dfire was never told of it, so there is nothing to take back."),
    ASSUMED: _("The database was restored from a dump. It may have been sent since then."),
    WORKERS_DIED: _("The worker died each time it took this row."),
}
KEYS = tuple(_WORDS)


def describe(key: str) -> str:
    """The words for a key, in the active language; dfire's own messages stay as they are."""
    return str(_WORDS.get(key, key))
