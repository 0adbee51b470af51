"""A whole provisioning file or nothing of it."""

from typing import Any

from django.db import transaction

from integrations.provisioning.entries import Problems, each
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
    problems.raise_any()
    return lines
