"""Whoever writes to Redis makes no process of ours run their code, and the admin needs none of it."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from redis import Redis

from config.celery import app

pytestmark = pytest.mark.django_db


def test_messages_are_json_and_nothing_else_is_read() -> None:
    assert set(app.conf.accept_content) == {"json"}
    assert app.conf.task_serializer == app.conf.result_serializer == "json"


@pytest.mark.parametrize("address", ["/admin/search/?s=user", "/admin/search/?s=user&extended=1", "/admin/"])
def test_pages_keep_nothing_there_that_would_be_unpacked(monkeypatch: Any, address: str) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    assert browser.get(address).status_code == 200
    kept = [name for name in Redis.from_url(settings.REDIS_URL).keys("*") if not name.startswith(b"rate:")]
    assert kept == []
