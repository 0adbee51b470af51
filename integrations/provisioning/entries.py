"""Bringing one entry about: read it, find what it names, change what differs, and say what was changed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from integrations.provisioning.file_format import Entry
from merchants.models import Merchant

M = TypeVar("M", bound=models.Model)
P = ParamSpec("P")
R = TypeVar("R")


class Missing(str):
    """An error that says of another section's entry that there is none."""

    def __new__(cls, line: str, section: str, key: str) -> "Missing":
        """The line, and which entry is missing."""
        made = super().__new__(cls, line)
        made.entry = (section, key)
        return made

    entry: tuple[str, str]


class Rejected(Exception):
    """An entry cannot be brought about; `errors` are lines that name the place."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class Problems:
    """Collects the errors of several steps, so that all of them are named at once."""

    def __init__(self) -> None:
        self._errors: list[str] = []

    def of(self, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """What the step returns, or None if it was rejected."""
        try:
            return step(*args, **kwargs)
        except Rejected as rejected:
            self._errors += rejected.errors
            return None

    def add(self, line: str) -> None:
        """One more error."""
        self._errors.append(line)

    def raise_any(self) -> None:
        """Go on only if nothing was wrong.

        Raises:
            Rejected: with everything that was.
        """
        if self._errors:
            raise Rejected(list(dict.fromkeys(self._errors)))


def each(items: Any, path: str, names: tuple[str, ...], step: Callable[[Any, str], R]) -> list[R]:
    """Take the step with each entry of a list, in which no two may be found by the same keys.

    Raises:
        Rejected: not a list, an entry named twice, or what was wrong with any of them.
    """
    if not isinstance(items, list):
        raise Rejected([f"{path}: must be a list."])
    problems, results, places = Problems(), [], dict[tuple[str, ...], str]()
    for position, item in enumerate(items):
        place = f"{path}[{position}]"
        keys = keys_in(item, names)
        if keys and keys in places:
            problems.add(f"{place}: has the same {' and '.join(names)} as {places[keys]}.")
        elif keys:
            places[keys] = place
        result = problems.of(step, item, place)
        if result is not None:
            results.append(result)
    problems.raise_any()
    return results


def key_of(entry_class: type[Entry], item: Any, path: str, *names: str) -> tuple[str, ...]:
    """The values by which an entry is found, as text.

    Raises:
        Rejected: the entry is not an object, or one of them is missing; everything else that is wrong is named too.
    """
    keys = keys_in(item, names)
    if keys is None:
        read(entry_class, item, path, exists=False)
        raise Rejected([f"{path}: needs {' and '.join(names)}; it is found by that."])
    return keys


def read(entry_class: type[Entry], item: Any, path: str, *, exists: bool) -> dict[str, Any]:
    """The entry's values. Keys that only a new one needs may be absent where it `exists`.

    Raises:
        Rejected: naming every key that is wrong.
    """
    serializer = entry_class(data=item, partial=exists)
    if not serializer.is_valid():
        raise Rejected(list(_lines(serializer.errors, path)))
    return dict(serializer.validated_data)


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
    """Run the model's checks and then, where they are content, its constraints, which say the same less kindly.

    Raises:
        Rejected: naming the fields.
    """
    try:
        instance.full_clean(validate_constraints=False)
        instance.validate_constraints()
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
        raise Rejected(
            [Missing(f"{path}: there is no merchant {each_id!r}.", "merchants", each_id) for each_id in missing]
        )
    return [known[merchant_id] for merchant_id in wanted]


def validation_lines(error: ValidationError, path: str) -> Iterable[str]:
    """Django's validation error as lines that name the place."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for field, messages in by_field.items():
        place = path if field in ("", NON_FIELD_ERRORS) else f"{path}.{field}"
        yield from (f"{place}: {message}" for message in messages)


def keys_in(item: Any, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The values of the keys as text, as a serializer reads them; None if one of them is not usable."""
    if not isinstance(item, Mapping):
        return None
    values = [item.get(name) for name in names]
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        return None
    keys = tuple(str(value).strip() for value in values)
    return keys if all(keys) else None


def _lines(errors: Any, path: str) -> Iterable[str]:
    """DRF's nested errors as lines that name the place."""
    if isinstance(errors, Mapping):
        for key, value in errors.items():
            yield from _lines(value, _place(path, key))
    elif isinstance(errors, list):
        for position, value in enumerate(errors):
            yield from _lines(value, f"{path}[{position}]" if isinstance(value, Mapping) else path)
    else:
        yield f"{path}: {errors}"


def _place(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return path if key == "non_field_errors" else f"{path}.{key}"
