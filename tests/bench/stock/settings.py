"""The portal's database under a project as `startproject` makes one: Django's own admin and middleware."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as _PORTALS
from config.settings import TEMPLATES as _TEMPLATES

_LOOK = {"config.site.LookConfig", "unfold.contrib.filters", "django_structlog"}
INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig" if app == "django.contrib.admin" else app
    for app in _PORTALS
    if app not in _LOOK
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{**_TEMPLATES[0], "DIRS": []}]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "tests.bench.stock.urls"
