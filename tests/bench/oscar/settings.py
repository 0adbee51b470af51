"""The least under which django-oscar's voucher sets work: its applications and a database, no debug, no search."""

import os
import secrets
from urllib.parse import urlsplit

from oscar import INSTALLED_APPS
from oscar.defaults import *  # noqa: F403

_server = urlsplit(os.environ["OSCAR_DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _server.path.lstrip("/"),
        "USER": _server.username,
        "PASSWORD": _server.password,
        "HOST": _server.hostname,
        "PORT": _server.port,
    }
}
INSTALLED_APPS = [*INSTALLED_APPS]
SECRET_KEY = secrets.token_urlsafe(32)
SITE_ID = 1
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # as oscar's own sandbox has it
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
ROOT_URLCONF = "tests.bench.oscar.urls"
