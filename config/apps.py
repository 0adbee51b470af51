"""The project as an application: its management commands, checks and pages of its own."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Registers the project's own pieces."""

    name = "config"
