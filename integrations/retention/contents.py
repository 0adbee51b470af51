"""What is taken out of a row that is kept: everything that may say who a customer is. When it was, what it was for and
what came of it stays, so that a coupon's timeline can still be read.

Pruning by age and erasing a customer both blank through here, so that they cannot differ.
"""

from typing import Any

from django.db.models import Case, F, Model, QuerySet, Value, When
from django.utils import timezone

from integrations.models import ApiCall, DfireCallback, OutboxAttempt, OutboxRow, Push
from integrations.sync import words

BLANK: dict[type[Model], dict[str, Any]] = {
    # A message is dfire's and may name the customer; its code and class of result stay.
    OutboxAttempt: {"identity": {}, "request": {}, "answer": "", "message": ""},
    OutboxRow: {
        "details": {},
        "last_message": Case(When(last_message__in=words.KEYS, then=F("last_message")), default=Value("")),
    },
    Push: {"body": "", "answer": {}},
    DfireCallback: {"parameters": {}, "note": ""},
    ApiCall: {"path": "", "body": "", "answer": ""},
}


def blank(rows: QuerySet[Any]) -> int:
    """Blank those of the rows that are not yet. Returns how many."""
    return rows.filter(blanked_at=None).update(**BLANK[rows.model], blanked_at=timezone.now())
