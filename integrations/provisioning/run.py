"""A whole provisioning file or nothing of it."""

from typing import Any

from django.db import transaction

from integrations.provisioning.entries import Missing, Problems, Rejected, each, keys_in
from integrations.provisioning.sections import SECTIONS
from integrations.strict_json import shown


@transaction.atomic
def provision(document: dict[str, Any]) -> list[str]:
    """Bring about what the document says.

    Returns:
        A line for each change; none on a second run.

    Raises:
        Rejected: something in it is wrong. Nothing has been changed; every error is named.
    """
    problems = Problems()
    for name in document:
        if name not in SECTIONS:
            problems.add(f"{shown(name)}: this section is not known.")
    lines: list[str] = []
    for name, section in SECTIONS.items():
        for changes in problems.of(each, document.get(name, []), name, section.keys, section.bring_about) or []:
            lines += changes
    try:
        problems.raise_any()
    except Rejected as rejected:
        raise Rejected(_causes(rejected.errors, document)) from None
    return lines


def _causes(errors: list[str], document: dict[str, Any]) -> list[str]:
    """The errors without those that only follow from them: an entry that is wrong itself is missing elsewhere."""
    named = {
        (name, keys[0])
        for name in ("dfire_accounts", "merchants")
        if isinstance(document.get(name), list)
        for item in document[name]
        if (keys := keys_in(item, SECTIONS[name].keys))
    }
    return [error for error in errors if not (isinstance(error, Missing) and error.entry in named)] or errors
