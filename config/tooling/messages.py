"""Which texts of the portal want a translation, found without GNU gettext: in our code, our templates, and Unfold's.

The test of translations asks here; run as a program it adds what is missing to the `.po` file, still empty.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import polib

from config.embedded.places import CHECKOUT
from config.tooling.terminal import say

PO_FILE = CHECKOUT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
OUR_FOLDERS = ("config", "merchants", "coupons", "integrations", "templates")

Key = tuple[str | None, str]  # context, msgid
Found = dict[Key, str]  # to the plural, or ""

# What Django translates, but not as the rest of the portal words it.
BETTER = ((None, " By %(filter_title)s "), (None, "Filters"))

_TEXT = r"""(u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
_IN_TEMPLATES = re.compile(rf"\b(n?p?gettext|_)\({_TEXT}(?:\s*,\s*{_TEXT})?(?:\s*,\s*{_TEXT})?")
_CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


def ours() -> Found:
    """The texts of the portal's own code and templates."""
    return _collect(CHECKOUT / folder for folder in OUR_FOLDERS)


def unfolds() -> Found:
    """The texts of Unfold, which has no translations of its own."""
    return _collect([_package("unfold")])


def djangos() -> set[Key]:
    """What Django itself translates into simplified Chinese."""
    catalogues = _package("django").glob("**/locale/zh_Hans/LC_MESSAGES/django.mo")
    return {(entry.msgctxt, entry.msgid) for path in catalogues for entry in polib.mofile(str(path))}


def wanted() -> Found:
    """Everything that our own file must translate: our texts, and of Unfold's what Django does not, or not well."""
    known = djangos() - set(BETTER)
    return {**{key: plural for key, plural in unfolds().items() if key not in known}, **ours()}


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(spec.submodule_search_locations[0])


def _collect(folders: Iterable[Path]) -> Found:
    found: Found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                found.update(_in_code(path.read_text("utf-8")))
            elif path.suffix in (".html", ".txt"):
                found.update(_in_template(path.read_text("utf-8")))
    return found


def _in_code(source: str) -> Iterator[tuple[Key, str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if name in _CALLS and texts and isinstance(node.args[0], ast.Constant):
            yield _entry(name, texts)


def _in_template(source: str) -> Iterator[tuple[Key, str]]:
    from django.utils.translation.template import templatize  # reads settings; a program sets them first

    for name, *literals in _IN_TEMPLATES.findall(templatize(source)):
        yield _entry(name, [ast.literal_eval(literal) for literal in literals if literal])


def _entry(call: str, texts: list[str]) -> tuple[Key, str]:
    if call.startswith("pgettext"):
        return (texts[0], texts[1]), ""
    if call.startswith("ngettext"):
        return (None, texts[0]), texts[1]
    return (None, texts[0]), ""


def main() -> None:
    """Add what is missing, drop what nobody asks for any more."""
    import django

    django.setup()
    catalogue = polib.pofile(str(PO_FILE), wrapwidth=110)
    have = {(entry.msgctxt, entry.msgid): entry for entry in catalogue if not entry.obsolete}
    need = wanted()
    for context, msgid in sorted(need.keys() - have.keys(), key=lambda key: (key[1], key[0] or "")):
        plural = need[context, msgid]
        entry = polib.POEntry(msgctxt=context, msgid=msgid, msgid_plural=plural)
        if plural:
            entry.msgstr_plural = {0: ""}
        catalogue.append(entry)
        say(f"to translate: {msgid!r}")
    for key in have.keys() - need.keys():
        catalogue.remove(have[key])
        say(f"dropped: {key[1]!r}")
    catalogue.save()


if __name__ == "__main__":
    main()
