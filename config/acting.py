"""Who acts, for the audit trail, in a request and in a task; `manage.py` says it of commands."""

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import get_contextvars

from integrations.hooks.callers import household
from merchants.audit.who import Who, acting, begin, end

_ADMIN = "admin/"
_tasks: dict[str, Any] = {}  # those that run in this process


def requests_say_who_acts(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The middleware. Nothing is looked up unless something that is watched is written."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with acting(lambda: _of_request(request)):
            return get_response(request)

    return middleware


@task_prerun.connect
def _begin(task_id: str, task: Task, **kwargs: object) -> None:
    request_id = str(get_contextvars().get("request_id", ""))
    _tasks[task_id] = begin(Who("portal", via=f"task {task.name.rpartition('.')[2]}", request_id=request_id))


@task_postrun.connect
def _end(task_id: str, **kwargs: object) -> None:
    if (token := _tasks.pop(task_id, None)) is not None:
        end(token)


def _of_request(request: HttpRequest) -> Who:
    said = get_contextvars()
    match = request.resolver_match
    route = match.route if match is not None else ""
    # Of the admin the page itself; elsewhere paths carry tokens and codes.
    via = f"{request.method} /{request.path.lstrip('/') if route.startswith(_ADMIN) else route}"
    name, pk = _actor(request, said)
    return Who(name, pk, via, household(request) or "", str(said.get("request_id", "")))


def _actor(request: HttpRequest, said: dict[str, object]) -> tuple[str, int | None]:
    """A member of staff; else what the protocols' own authentication has found (they bind it for the log)."""
    if hasattr(request, "_cached_user") or settings.SESSION_COOKIE_NAME in request.COOKIES:
        user = getattr(request, "user", None)
        if user is not None and getattr(user, "is_authenticated", False):
            return str(user.get_username()), int(user.pk)
    for name, form in (("app", "api:{}"), ("account", "push:{}")):
        if name in said:
            return form.format(said[name]), None
    return "portal", None
