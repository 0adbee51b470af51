"""Bringing one entry about: read it, find what it names, change what differs, and say what was changed."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from integrations.provisioning.file_format import Entry
from merchants.models import Merchant

M = TypeVar("M", bound=models.Model)


class Rejected(Exception):
    """An entry cannot be brought about; `errors` are lines that name the place."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def read(entry_class: type[Entry], item: Any, path: str, *, exists: bool) -> dict[str, Any]:
    """The entry's values. Keys that only a new one needs may be absent where it `exists`.

    Raises:
        Rejected: naming every key that is wrong.
    """
    serializer = entry_class(data=item, partial=exists)
    if not serializer.is_valid():
        raise Rejected(list(_lines(serializer.errors, path)))
    return dict(serializer.validated_data)


def key_of(item: Any, path: str, *names: str) -> list[str]:
    """The values by which an entry is found, as text.

    Raises:
        Rejected: the entry is not an object, or one of them is missing.
    """
    if not isinstance(item, Mapping):
        raise Rejected([f"{path}: must be an object."])
    keys = [item.get(name) for name in names]
    missing = [
        name
        for name, value in zip(names, keys, strict=True)
        if not isinstance(value, str | int) or value == ""
    ]
    if missing:
        raise Rejected([f"{path}.{name}: is missing; entries are found by it." for name in missing])
    return [str(key) for key in keys]


def change(instance: M, values: Mapping[str, Any]) -> list[str]:
    """Set what differs, without storing it, and name it. For a new one everything is named by its creation alone."""
    changed = [name for name, value in values.items() if getattr(instance, name) != value]
    for name in changed:
        setattr(instance, name, values[name])
    return changed


def store(instance: M, changed: list[str], path: str, label: str) -> list[str]:
    """Check and save what is new or changed; the line that says so, if anything was.

    Raises:
        Rejected: the model's own checks or constraints refuse it.
    """
    fresh = instance.pk is None
    if not fresh and not changed:
        return []
    check(instance, path)
    instance.save()
    return [created_or_changed(label, changed, fresh=fresh)]


def check(instance: models.Model, path: str) -> None:
    """Run the model's checks, its constraints too.

    Raises:
        Rejected: naming the fields.
    """
    try:
        instance.full_clean()
    except ValidationError as error:
        raise Rejected(list(validation_lines(error, path))) from None


def created_or_changed(label: str, changed: Iterable[str], *, fresh: bool) -> str:
    """The line about one entry. Values are never in it: some are secrets."""
    return f"created {label}" if fresh else f"changed {label}: {', '.join(changed)}"


def merchants_named(merchant_ids: Iterable[str], path: str) -> list[Merchant]:
    """The merchants with these ids.

    Raises:
        Rejected: one is not known.
    """
    wanted = list(dict.fromkeys(merchant_ids))
    known = {merchant.merchant_id: merchant for merchant in Merchant.objects.filter(merchant_id__in=wanted)}
    if missing := [merchant_id for merchant_id in wanted if merchant_id not in known]:
        raise Rejected([f"{path}: there is no merchant {merchant_id!r}." for merchant_id in missing])
    return [known[merchant_id] for merchant_id in wanted]


def validation_lines(error: ValidationError, path: str) -> Iterable[str]:
    """Django's validation error as lines that name the place."""
    for field, messages in (
        error.message_dict.items() if hasattr(error, "error_dict") else [("", error.messages)]
    ):
        place = path if field in ("", NON_FIELD_ERRORS) else f"{path}.{field}"
        yield from (f"{place}: {message}" for message in messages)


def _lines(errors: Any, path: str) -> Iterable[str]:
    """DRF's nested errors as lines that name the place."""
    if isinstance(errors, Mapping):
        for key, value in errors.items():
            place = (
                f"{path}[{key}]"
                if isinstance(key, int)
                else path
                if key == "non_field_errors"
                else f"{path}.{key}"
            )
            yield from _lines(value, place)
    elif isinstance(errors, list):
        for position, value in enumerate(errors):
            yield from (
                _lines(value, f"{path}[{position}]") if isinstance(value, Mapping) else [f"{path}: {value}"]
            )
    else:
        yield f"{path}: {errors}"
