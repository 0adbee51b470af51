"""docs/people.md says what is so: its table of roles is the code's, and what it names is there."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Permission

from merchants.rights import SENSITIVE
from merchants.roles import AUDITOR, MARKETING, OPERATIONS, Rights

PAGE = (Path(settings.BASE_DIR) / "docs/people.md").read_text()


def table() -> str:
    """The roles by what their rights are to; *Administrator* has every right."""
    columns: list[Rights] = [role.rights or frozenset() for role in (MARKETING, OPERATIONS, AUDITOR)]
    lines = ["| pages of | Marketing | Operations | Auditor |", "|---|---|---|---|"]
    rows: dict[str, list[list[str]]] = {}
    for right in Permission.objects.select_related("content_type").order_by("content_type__app_label", "codename"):
        name = f"{right.content_type.app_label}.{right.codename}"
        model = right.content_type.model
        for at, rights in enumerate(columns):
            if name in rights:
                cells = rows.setdefault(f"{right.content_type.app_label}.{model}", [[], [], []])
                cells[at].append(right.codename.removesuffix(f"_{model}"))
    for name, cells in sorted(rows.items()):
        lines.append(f"| `{name}` | {' | '.join(', '.join(sorted(words)) for words in cells)} |")
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def test_the_table_of_roles_is_the_code_s(db: None) -> None:
    assert table() in PAGE, f"docs/people.md lacks:\n\n{table()}"


def test_every_sensitive_right_is_explained() -> None:
    assert not [right for right in SENSITIVE if f"`{right}`" not in PAGE]


def test_the_defaults_are_those_of_the_settings() -> None:
    named = re.findall(r"`([A-Z_]+)` \((\d+)\)", PAGE)
    assert len(named) >= 6
    for name, value in named:
        assert getattr(settings, name) == int(value), name
