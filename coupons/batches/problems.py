"""Why a row of a file is turned down: by the check, by a rule about its customer, or because the batch was stopped."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.errors import Reason


class RowProblem(models.TextChoices):
    """What is wrong with a row as it is typed. What a rule says of its customer is a `Reason`."""

    TOO_LONG = "too_long", _("Longer than 128 characters: this names nobody.")
    NOT_A_MOBILE = "not_a_mobile", _("This is meant to be a mobile number, but those have 11 digits and start with 1.")
    NOT_READABLE = "not_readable", _("It has characters that cannot be shown.")
    TWICE = "twice", _("The same customer stands further up in the file.")
    SEVERAL = "several_customers", _("Several customers have this number; name one by identifier.")


# The batch itself could not go on, without any rule saying no.
BROKEN = "broken"
_BROKEN_WORDS = _("It stopped at an error, and nothing was lost. Resume it; if it stops again, ask your administrator.")


def problem_words(code: str) -> str:
    """A problem's code in the words of the active language."""
    for choices in (RowProblem, Reason):
        if code in choices.values:
            return str(choices(code).label)
    return str(_BROKEN_WORDS) if code == BROKEN else code
