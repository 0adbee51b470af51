"""The Celery application: `celery -A config worker` and `celery -A config beat`.

Tasks here are doorbells and clocks. What has to be done stands in PostgreSQL, so a broker that is empty, restarted or
down costs time and nothing else.
"""

import os

from celery import Celery
from celery.signals import beat_init, celeryd_init

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("config")
app.config_from_object("config.celery_settings")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def _say_what_is_missing(**kwargs: object) -> None:
    """Stop with words, where the embedded servers are meant and do not run."""
    if ("REDIS_URL" not in os.environ or "DATABASE_URL" not in os.environ) and embedded.running() is None:
        raise SystemExit(embedded.NOT_RUNNING)
