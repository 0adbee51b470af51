"""The project as an application: its checks and pages of its own."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Makes the Celery application the current one in every process, so that the doorbell reaches its broker."""

    name = "config"

    def ready(self) -> None:
        """Import the Celery application, and what says of its tasks who acts."""
        from config import acting, celery  # noqa: F401
