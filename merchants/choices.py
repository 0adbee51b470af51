"""The stable values of a customer file and of its rows."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class FileState(models.TextChoices):
    """Where a customer file stands."""

    CHECKING = "checking", _("being checked")
    READY = "ready", _("waits for your yes")
    RUNNING = "running", _("being entered")
    STOPPED = "stopped", _("broken off")
    UNREADABLE = "unreadable", _("cannot be read")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")


AT_WORK = (FileState.CHECKING, FileState.RUNNING)
OPEN = (FileState.CHECKING, FileState.READY, FileState.RUNNING, FileState.STOPPED)


class Verdict(models.TextChoices):
    """What a row comes to."""

    NEW = "new", _("new customer")
    CHANGE = "change", _("to be changed")
    EQUAL = "equal", _("the same already")
    BAD = "bad", _("not done")


class Why(models.TextChoices):
    """Why a row is not done; `%(row)s` is the other row's number."""

    NOBODY = "nobody", _("Nobody is named: enter the identifier or the mobile number.")
    NOTHING = "nothing", _("Neither a mobile number nor an openid stands in this row.")
    BAD_MOBILE = "bad_mobile", _("This is no mobile number: 11 digits that start with 1.")
    BAD_OPENID = "bad_openid", _("This is no openid: letters, digits and signs without blanks, 128 at most.")
    TOO_LONG = "too_long", _("The identifier is longer than 128 characters.")
    NOT_READABLE = "not_readable", _("It has characters that cannot be shown.")
    SEVERAL = "several", _("Several customers have this mobile number; name one by identifier.")
    UNKNOWN = "unknown", _("No customer has this identifier or mobile number.")
    WAS_ERASED = "erased", _("This customer was erased. Whoever comes back is entered by hand.")
    OPENID_TAKEN = "openid_taken", _("Another customer of this merchant has this openid.")
    OPENID_TWICE = "openid_twice", _("Row %(row)s gives the same openid to another customer.")
    TWICE = "twice", _("Row %(row)s says something else about the same customer.")


def why_words(code: str, other: int | None) -> str:
    """A reason in the words of the active language; `other` is the number of the row that it names, if it names one."""
    return str(Why(code).label) % {"row": other} if code else ""
