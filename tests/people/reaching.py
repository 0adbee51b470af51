"""What of the admin somebody reaches: each page, action and form of each model, at one merchant and at another.

Everything is undone afterwards, so that nothing that is reached has happened.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client

from merchants.admin.accounts import AccountsPage
from merchants.admin.base import ScopedAdmin
from merchants.models import Merchant
from tests.admin.pages import act_on_selected, list_of, page_of
from tests.people.addresses import Address, addresses

# What goes by the right of another page: its history by the row's page, one file as the other, redirects of Django's.
AS = {"history": "page", "export-xlsx": "export"}
_PAGES = {"": "list", "add": "add", "change": "page", "history": "history", "delete": "delete", "export-csv": "export"}
_OF_NOTHING = "/<path:object_id>/"  # Django's old address of a row


def label_of(model: type[Model]) -> str:
    """The model as the table names it."""
    return str(model._meta.label_lower)


def everything() -> dict[str, set[str]]:
    """All that there is to be reached, by model; pages that are no model's under their own address."""
    found: dict[str, set[str]] = defaultdict(set)
    for address in addresses():
        if address.model is None:
            found["/"].add(address.route)
        elif (name := name_of(address)) is not None and name not in AS:
            found[label_of(address.model)].add(name)
    for model, page in admin.site._registry.items():
        found[label_of(model)] |= {"save", *(f"selected:{name}" for name in _selected(page))}
    return dict(found)


def name_of(address: Address) -> str | None:
    """What the table calls an address of a model's pages; None for Django's old address of a row."""
    rest = address.route.removeprefix(list_of(address.model)).replace("<path:object_id>/", "").rstrip("/")
    if not rest and address.of_a_row:
        return None
    return _PAGES.get(rest, rest)


def reached(client: Client, model: type[Model], rows: list[Any], *, of_rows: bool = False) -> dict[str, bool]:
    """Whether each thing of a model is reached, where it is of a row at any of these rows; `of_rows`: only those."""
    page, found = admin.site._registry[model], {}
    for address in (one for one in addresses() if one.model is model):
        name = name_of(address)
        if name is None or name in AS or (of_rows and not address.of_a_row):
            continue
        at = [address.at(row.pk) for row in rows] if address.of_a_row else [address.route]
        found[name] = any(_is_there(_undone(client.get, one), model) for one in at)
    found["save"] = any(_is_there(_undone(client.post, page_of(row), {"_form": "x"}), model) for row in rows)
    for name in () if of_rows else _selected(page):
        found[f"selected:{name}"] = any(_does(client, row, name) for row in rows)
    return found


def others(model: type[Model], merchant: Merchant) -> list[Any] | None:
    """The merchant's rows of a model, by the way that its page names; None where it is not bound to merchants."""
    page = admin.site._registry[model]
    if isinstance(page, AccountsPage):
        return list(model._default_manager.filter(merchants=merchant)[:3])
    if not isinstance(page, ScopedAdmin):
        return None
    path = page.merchant_path if model._meta.model_name != "push" else "coupon__merchant"
    return list(model._default_manager.filter(**{path or "pk": merchant if path else merchant.pk}).order_by("-pk")[:3])


def _selected(page: Any) -> Iterator[str]:
    yield from (action if isinstance(action, str) else action.__name__ for action in page.actions or ())


def _undone(send: Any, *sent: Any) -> Any:
    with transaction.atomic():
        response = send(*sent)
        if response.streaming:
            response.getvalue()
        transaction.set_rollback(True)
    return response


def _is_there(response: Any, model: type[Model]) -> bool:
    """It is shown, or leads on within the portal to where who did it is led; not to the first page or the sign-in."""
    if response.status_code == 302:
        return response["Location"].partition("?")[0] not in ("/admin/", "/admin/login/")
    assert response.status_code in (200, 403, 404, 405), response
    return bool(response.status_code == 200)


def _does(client: Client, row: Any, name: str) -> bool:
    """The page that asks whether it shall be done, or the list again, once it is done; the list as it was says no."""
    response = _undone(lambda: act_on_selected(client, [row], name))
    offered = client.get(list_of(type(row)))
    if response.status_code == 403 or offered.status_code != 200:
        return False
    choices = offered.context["cl"].model_admin.get_action_choices(offered.wsgi_request, [])
    return name in dict(choices)
