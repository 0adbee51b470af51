"""Who did something, in words, from the short form in which history and the audit trail keep it."""

from django.utils.translation import gettext_lazy as _

_DOORS = {
    "staff": _("staff"),
    "push": _("smart-coupon push"),
    "api": _("partner app"),
    "command": _("command line"),
    "database": _("in the database itself"),
    "dfire": _("dfire"),
    "portal": _("the portal"),
}


def actor_words(actor: str) -> str:
    """Such as "staff lili" for `staff:lili`."""
    door, _colon, name = actor.partition(":")
    return f"{_DOORS.get(door, door)} {name}".strip()
