"""Writing into staff's log (Django's LogEntry) what was done to a row by other means than its form."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.http import HttpRequest


def note(request: HttpRequest, row: Any, words: str) -> None:
    """One line about a row, in the name of whoever is signed in; it shows in the row's history."""
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=get_content_type_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=CHANGE,
        change_message=words,
    )
