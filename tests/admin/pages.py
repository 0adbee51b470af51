"""Addresses of admin pages and what they say, for the tests."""

from typing import Any

from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from merchants.admin.trail_words import what_words
from merchants.models import AuditAction, AuditEntry


def list_of(model: Any) -> str:
    """The list of a model."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def add_of(model: Any) -> str:
    """The page that adds one."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def page_of(row: Any) -> str:
    """A row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def action_of(row: Any, path: str) -> str:
    """The address of an action on a row's page."""
    return page_of(row).replace("/change/", f"/{path}/")


def act(client: Client, row: Any, path: str, **fields: Any) -> list[str]:
    """Open an action's dialog, send it, and return the messages that the user sees."""
    address = action_of(row, path)
    client.cookies.pop("messages", None)  # those of the action before
    assert client.get(address).status_code == 200
    response = client.post(address, {"_form_submitted": "1", **fields})
    assert response.status_code == 302, response.content.decode()
    return said(response)


def act_on_selected(client: Client, rows: list[Any], action: str, **fields: Any) -> Any:
    """Run an action of the list on rows; the answer may be the page that asks."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(list_of(type(rows[0])), {**chosen, **fields})


def trail_of(row: Any) -> list[tuple[str, str]]:
    """What was done about a row (or a model's whole list), and by whom, oldest first, with the reasons."""
    key = str(row.pk) if isinstance(row, Model) else ""
    rows = AuditEntry.objects.filter(kind=row._meta.label_lower, object_id=key, action=AuditAction.ACTED).order_by("pk")
    return [(entry.actor, f"{what_words(entry)} {entry.reason}".strip()) for entry in rows]


def said(response: Any) -> list[str]:
    """The messages that a response left for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def save_changes(client: Client, template: Any, fields: dict[str, Any]) -> Any:
    """Post the form of an open template and say yes to the question that follows."""
    asked = client.post(page_of(template), fields)
    assert asked.status_code == 200, asked
    again: dict[str, list[str]] = {}
    for name, value in asked.context["kept"]:
        again.setdefault(name, []).append(value)
    response = client.post(page_of(template), {**again, asked.context["confirmed"]: asked.context["digest"]})
    assert response.status_code == 302, response.content.decode()
    return response
