"""The Celery application: `celery -A config worker` and `celery -A config beat`.

Tasks here are doorbells and clocks. What has to be done stands in PostgreSQL, so a broker that is empty, restarted or
down costs time and nothing else.
"""

import os

from celery import Celery, Task
from celery.signals import beat_init, celeryd_init, setup_logging, task_postrun
from django_structlog.celery.steps import DjangoStructLogInitStep

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("config")
app.config_from_object("config.celery_settings")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)  # the task's id in every line that is written in it


@celeryd_init.connect
@beat_init.connect
def _say_what_is_missing(**kwargs: object) -> None:
    """Stop with words, where the embedded servers are meant and do not run."""
    if ("REDIS_URL" not in os.environ or "DATABASE_URL" not in os.environ) and embedded.running() is None:
        raise SystemExit(embedded.NOT_RUNNING)


@setup_logging.connect
def _keep_the_settings_logging(**kwargs: object) -> None:
    """Celery sets up none of its own where someone answers this signal."""


@task_postrun.connect
def _count(task: Task, state: str, **kwargs: object) -> None:
    from integrations.counters import TASKS  # loaded once the settings have said where counts lie

    TASKS.labels(task.name.rpartition(".")[2], str(state).lower()).inc()
