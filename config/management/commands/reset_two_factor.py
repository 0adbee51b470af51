"""`manage.py reset_two_factor NAME`: for the only administrator, whose phone and recovery codes are gone."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from merchants import sessions, two_factor


class Command(BaseCommand):
    """Does what the button on a user's page does, for whoever may run commands on the server."""

    help = "Forget a user's phone and recovery codes and sign them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """One name."""
        parser.add_argument("name", metavar="NAME", help="the user name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset it, and write it into the user's history."""
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['name']!r}.")
        had = two_factor.reset(user)
        ended = sessions.end_all(user)
        LogEntry.objects.create(
            user_id=user.pk, content_type=get_content_type_for_model(user), object_id=str(user.pk),
            object_repr=str(user), action_flag=CHANGE,
            change_message="Two-factor sign-in was reset on the server (manage.py reset_two_factor).",
        )  # fmt: skip
        said = "is reset" if had else "was not set up"
        self.stdout.write(f"Two-factor sign-in of {user.username} {said}; sessions ended: {ended}.")
