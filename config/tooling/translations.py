"""Compiles `locale/*/LC_MESSAGES/*.po` into the committed `.mo` files, and says whether they are current.

The comparison is by content, so that it does not matter which program compiled them. Needs polib.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import polib

from config.embedded.places import CHECKOUT
from config.tooling.terminal import say

_Key = tuple[str | None, str]
_Texts = dict[_Key, tuple[str, dict[int, str]]]


def sources() -> list[Path]:
    """Every file of translations."""
    return sorted((CHECKOUT / "locale").glob("*/LC_MESSAGES/*.po"))


def is_current(source: Path) -> bool:
    """Whether the compiled file holds exactly the translations of its source."""
    compiled = source.with_suffix(".mo")
    if not compiled.exists():
        return False
    return _texts(polib.pofile(str(source)).translated_entries()) == _texts(polib.mofile(str(compiled)))


def _texts(entries: Iterable[polib.POEntry | polib.MOEntry]) -> _Texts:
    return {(entry.msgctxt, entry.msgid): (entry.msgstr, dict(entry.msgstr_plural)) for entry in entries}


def main(arguments: list[str]) -> int:
    """Compile what is not current; with --check only name it, and return 1 if there is any."""
    outdated = [source for source in sources() if not is_current(source)]
    for source in outdated:
        if "--check" not in arguments:
            polib.pofile(str(source)).save_as_mofile(str(source.with_suffix(".mo")))
        say(f"{source.relative_to(CHECKOUT)}: {'not compiled' if '--check' in arguments else 'compiled'}")
    if outdated and "--check" in arguments:
        say("Run: make translations")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
