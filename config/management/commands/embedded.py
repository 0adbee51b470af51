"""Lists `embedded` among the commands. `manage.py` itself carries it out, before any setting is needed."""

from django.core.management.base import BaseCommand, CommandParser

from config import embedded


class Command(BaseCommand):
    help = "Start, stop or ask for the embedded PostgreSQL and Redis."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("word", choices=["start", "stop", "status"])

    def handle(self, *args: object, **options: str) -> None:
        raise SystemExit(embedded.main([options["word"]]))
