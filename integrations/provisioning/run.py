"""A whole provisioning file or nothing of it."""

from typing import Any

from django.db import transaction

from integrations.provisioning.entries import Rejected
from integrations.provisioning.sections import SECTIONS


@transaction.atomic
def provision(document: dict[str, Any]) -> list[str]:
    """Bring about what the document says.

    Returns:
        A line for each change; none on a second run.

    Raises:
        Rejected: something in it is wrong. Nothing has been changed; every error is named.
    """
    errors = [f"{name}: this section is not known." for name in document if name not in SECTIONS]
    lines: list[str] = []
    for name, bring_about in SECTIONS.items():
        items = document.get(name, [])
        if not isinstance(items, list):
            errors.append(f"{name}: must be a list.")
            continue
        for position, item in enumerate(items):
            try:
                with transaction.atomic():
                    lines += bring_about(item, f"{name}[{position}]")
            except Rejected as rejected:
                errors += rejected.errors
    if errors:
        raise Rejected(errors)
    return lines
