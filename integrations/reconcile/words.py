"""Why something about a run or a finding is as it is: stable English keys in the database, shown translated."""

from django.utils.translation import gettext_lazy as _

_WORDS = {
    "not_connected": _("The merchant has no dfire account; choose one at the merchant first."),
    "running_already": _("This merchant is being compared already; wait for it, or cancel it."),
    "wrong_state": _("It has moved on meanwhile; look at it again."),
    "needs_confirmation": _("The plan takes back unusually many coupons. Confirm it first."),
    "superseded": _("A later comparison has looked at it anew."),
    "no_longer_so": _("It was no longer so when it was to be repaired."),
    "no_mobile": _("dfire wants the customer's mobile number for this; enter it first."),
    "no_promotion": _("dfire wants a promotion for this, and the merchant has none."),
    "known_already": _("There is a template with this ID already."),
    "id_too_long": _("dfire's ID of it is longer than the portal can keep."),
    "our_fault": _("A fault of the portal's own; whoever runs it finds it in the log."),
}


def describe(key: str) -> str:
    """The words for a key, in the active language; dfire's own messages stay as they are."""
    return str(_WORDS.get(key, key))
