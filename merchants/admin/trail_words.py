"""What an entry of the audit trail says, in the reader's words: fields by their labels, choices, times and names.

Layers above add words for columns of theirs whose values mean something (`say`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import DateTimeField, Field, ForeignKey, Model
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from merchants.admin.actors import actor_words
from merchants.admin.permission_field import permission_words
from merchants.models import AuditAction, AuditEntry
from merchants.rights import administers
from merchants.roles import BY_NAME
from merchants.scopes import visible_merchants

Words = Callable[[Any, AuditEntry], str]
SECRET = True
_SCOPE = "merchant_scope"
_MERCHANTS = (_SCOPE, "merchants")  # fields that link to merchants, which are kept by name
_LABELS: dict[tuple[str, str], Any] = {("auth.user", _SCOPE): _("merchant scope")}
_SAID: dict[tuple[str, str], Words] = {}


@dataclass(frozen=True, slots=True)
class Change:
    """One field, before and after; of a secret neither is known."""

    label: str
    before: str
    after: str
    secret: bool = False


def say(kind: str, columns: Mapping[str, tuple[Any, Words | None]]) -> None:
    """Use these labels (None = the field's own) and words for columns of a kind of object."""
    for column, (label, words) in columns.items():
        if label is not None:
            _LABELS[kind, column] = label
        if words is not None:
            _SAID[kind, column] = words


def model_of(kind: str) -> type[Model] | None:
    """The model of a kind; None where there is none any more."""
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        return None


def kind_words(kind: str) -> str:
    """What sort of object it is."""
    model = model_of(kind) if kind else None
    return kind if model is None else str(model._meta.verbose_name)


def who_words(entry: AuditEntry) -> str:
    """A member of staff by name, another actor by what it is."""
    return entry.actor if entry.actor_id is not None else actor_words(entry.actor)


def what_words(entry: AuditEntry) -> str:
    """What was done; of a mere change that it is one."""
    if entry.action != AuditAction.ACTED:
        return str(entry.get_action_display())
    words = gettext(entry.act) if entry.act else ""
    try:
        return words % {name: _fact(fact) for name, fact in entry.changes.items()} if "%(" in words else words
    except (KeyError, TypeError, ValueError):
        return words


def name_words(entry: AuditEntry) -> str:
    """What the object is called, or "". What the name has of the catalogue is in the reader's words."""
    if not entry.object_id:
        return str(capfirst(_fact(entry.object_name)))
    head, mark, key = entry.object_name.rpartition(" #")
    return f"{_fact(head)}{mark}{key}" if key == entry.object_id else entry.object_name


def _fact(fact: Any) -> Any:
    """Translated as a whole and in its parts ("issue to many · a template's title"): they are kept in English."""
    return " · ".join(gettext(part) if part else part for part in fact.split(" · ")) if isinstance(fact, str) else fact


def changes_of(request: HttpRequest, entry: AuditEntry) -> list[Change]:
    """What changed, in the order of the object's fields."""
    if entry.action == AuditAction.ACTED or not isinstance(entry.changes, dict):
        return []
    fields = _fields(model_of(entry.kind))
    order = {name: at for at, name in enumerate(fields)}
    names = sorted(entry.changes, key=lambda name: order.get(name, len(order)))
    return [_change(request, entry, name, fields.get(name)) for name in names]


def in_one_line(request: HttpRequest, entry: AuditEntry) -> str:
    """All changes, one behind the other."""
    said = (
        f"{change.label}: {gettext('changed') if change.secret else f'{change.before} → {change.after}'}"
        for change in changes_of(request, entry)
    )
    return " · ".join(said)


def prepare(request: HttpRequest, entries: Iterable[AuditEntry]) -> None:
    """Read at once the names of all that these entries refer to, and forget those of the entries before."""
    _kept(request, "names", dict).clear()
    wanted: dict[type[Model], set[Any]] = {}
    for entry in entries:
        fields = _fields(model_of(entry.kind))
        for name, values in entry.changes.items() if isinstance(entry.changes, dict) else ():
            field = fields.get(name)
            if isinstance(field, ForeignKey) and isinstance(values, list):
                wanted.setdefault(field.related_model, set()).update(one for one in values if one is not None)
    for model, keys in wanted.items():
        _read_names(request, model, keys)


def _fields(model: type[Model] | None) -> dict[str, Any]:
    """By the columns, and many-to-many fields by name."""
    if model is None:
        return {}
    own: dict[str, Any] = {str(field.column): field for field in model._meta.concrete_fields}
    return own | {field.name: field for field in model._meta.many_to_many}


def _change(request: HttpRequest, entry: AuditEntry, name: str, field: Any) -> Change:
    label = str(_LABELS.get((entry.kind, name)) or (field.verbose_name if field is not None else name))
    said = entry.changes[name]
    if said is SECRET or not isinstance(said, list) or len(said) != 2:
        return Change(capfirst(label), "", "", secret=True)
    before, after = (_value(request, entry, name, field, value) for value in said)
    return Change(capfirst(label), before, after)


def _value(request: HttpRequest, entry: AuditEntry, name: str, field: Any, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "-"
    if (words := _SAID.get((entry.kind, name))) is not None:
        return words(value, entry)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(field, ForeignKey):
        return _names(request, field.related_model, [value])[0]
    if isinstance(value, list):
        return ", ".join(_one_of_many(request, name, one) for one in value)
    if isinstance(field, Field) and field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, DateTimeField) and (at := parse_datetime(str(value))) is not None:
        return formats.date_format(timezone.localtime(at), "Y-m-d H:i:s")
    return str(value)


def _one_of_many(request: HttpRequest, name: str, value: Any) -> str:
    if name == "groups":
        return str(BY_NAME[value].title) if value in BY_NAME else str(value)
    if name in ("permissions", "user_permissions"):
        return _permissions(request).get(value, str(value))
    if name in _MERCHANTS and not administers(request.user):
        return str(value) if value in _visible_names(request) else gettext("another merchant")
    return str(value)


def _permissions(request: HttpRequest) -> dict[str, str]:
    """All permissions in words, read once for a page."""

    def read() -> dict[str, str]:
        rows = Permission.objects.select_related("content_type")
        return {f"{row.content_type.app_label}.{row.codename}": permission_words(row) for row in rows}

    return _kept(request, "permissions", read)


def _visible_names(request: HttpRequest) -> set[str]:
    return _kept(request, "merchants", lambda: set(visible_merchants(request.user).values_list("name", flat=True)))


def _names(request: HttpRequest, model: Any, keys: list[Any]) -> list[str]:
    kept: dict[tuple[Any, str], str] = _kept(request, "names", dict)
    if any((model, str(key)) not in kept for key in keys):
        _read_names(request, model, keys)
    return [kept[model, str(key)] for key in keys]


def _read_names(request: HttpRequest, model: Any, keys: Iterable[Any]) -> None:
    """By their names those that the user may see, the others by their ids."""
    kept: dict[tuple[Any, str], str] = _kept(request, "names", dict)
    kept |= {(model, str(key)): f"#{key}" for key in keys}
    page: Any = admin.site._registry.get(model)
    seen = administers(request.user) or hasattr(page, "in_scope")
    rows = page.get_queryset(request) if page is not None and seen else model._default_manager.none()
    kept |= {(model, str(row.pk)): str(row) for row in rows.filter(pk__in=keys)}


def _kept(request: HttpRequest, name: str, make: Callable[[], Any]) -> Any:
    """Something that is read once for a request."""
    kept: dict[str, Any] = request.__dict__.setdefault("_trail_words", {})
    if name not in kept:
        kept[name] = make()
    return kept[name]
