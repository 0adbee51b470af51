"""`manage.py reset_two_factor NAME`: for the only administrator, whose phone and recovery codes are gone."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext_noop

from merchants import sessions, two_factor
from merchants.audit.recording import record


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
        record(user, gettext_noop("Reset two-factor sign-in."))
        said = "is reset" if had else "was not set up"
        self.stdout.write(f"Two-factor sign-in of {user.username} {said}; sessions ended: {ended}.")
