"""SECURITY.md names what there is: files, tests, settings, headings."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "SECURITY.md").read_text()
_IN_CODE = re.findall(r"`([^`\n]+)`", TEXT)


def _heading(line: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).strip().replace(" ", "-")


def test_files_and_tests_exist() -> None:
    named = [name for name in _IN_CODE if re.fullmatch(r"[a-z_]+/[\w/.-]+", name)]
    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_settings_exist() -> None:
    named = {name for name in _IN_CODE if re.fullmatch(r"[A-Z][A-Z_]{5,}", name)}
    assert len(named) > 10
    assert {name for name in named if not hasattr(settings, name)} == set()


def test_links_lead_to_pages_and_headings() -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT):
        page, _, heading = target.partition("#")
        text = (ROOT / page).read_text() if page else TEXT
        assert not heading or heading in {_heading(line) for line in text.splitlines() if line.startswith("#")}, target


def test_it_says_of_everybody_what_is_not_stopped() -> None:
    parts = TEXT.split("## From whom, and by what")[1].split("\n## ")[0].split("\n### ")[1:]
    silent = [part.splitlines()[0] for part in parts if "**Not stopped**" not in part]
    assert silent == ["Staff of another merchant"]
