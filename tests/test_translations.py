"""Every text that staff may see is in Chinese too, and what is committed is what was translated."""

import re

import polib
import pytest

from config.tooling import messages, translations

CATALOGUE = polib.pofile(str(messages.PO_FILE))
_NAMED = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
# Chinese names a discount by tenths: these may use what the English does not.
MORE_IN_CHINESE = {
    "pay {percent}%": {"zhe"},
    "{percent}%": {"zhe"},
    "pay {percent}% from ¥{least}": {"zhe"},
    "pay {percent}% for {dishes}": {"zhe"},
    "The customer pays only {percent} percent. Was {meant} meant?": {"zhe"},
}


def test_every_text_is_translated() -> None:
    done = {(entry.msgctxt, entry.msgid) for entry in CATALOGUE.translated_entries()}
    assert sorted(msgid for _context, msgid in messages.wanted().keys() - done) == [], "run: config.tooling.messages"


def test_nothing_is_translated_that_nobody_asks_for() -> None:
    have = {(entry.msgctxt, entry.msgid) for entry in CATALOGUE if not entry.obsolete}
    assert sorted(msgid for _context, msgid in have - messages.wanted().keys()) == []


def test_nothing_is_fuzzy() -> None:
    assert [entry.msgid for entry in CATALOGUE.fuzzy_entries()] == []


def test_the_compiled_file_is_current() -> None:
    assert [source for source in translations.sources() if not translations.is_current(source)] == []


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if _NAMED.search(e.msgid)], ids=lambda e: e.msgid[:40])
def test_placeholders_are_those_of_the_english(entry: polib.POEntry) -> None:
    english = {a or b for a, b in _NAMED.findall(entry.msgid + entry.msgid_plural)}
    chinese = {a or b for a, b in _NAMED.findall(entry.msgstr or entry.msgstr_plural[0])}
    assert chinese <= english | MORE_IN_CHINESE.get(entry.msgid, set())


def test_texts_are_found_in_code_and_templates() -> None:
    ours = messages.ours()
    assert (None, "coupon template") in ours
    assert (None, "Timeline") in ours
    assert ours[None, "%(count)s coupon revoked."] == "%(count)s coupons revoked."
    assert len(messages.unfolds()) > 90
