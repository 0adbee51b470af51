"""The slips that people make when they sign, each tried with the real code: which of them makes the given signature?"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.signatures.reports import NOTHING_FITS

Signs = Callable[[], Iterable[str]]
Trial = tuple[Any, Signs]


def secret_trials(sign: Callable[[str], Iterable[str]], secret: str, others: Mapping[str, str]) -> Iterator[Trial]:
    """The secret with something around it, and the secrets of others; `sign` makes the signatures under a secret."""
    for words, variant in (
        (_("Our stored secret has blanks around it, theirs has none: enter it anew."), secret.strip()),
        (_("They signed with a blank behind the secret."), f"{secret} "),
        (_("They signed with a blank before the secret."), f" {secret}"),
        (_("They signed with a line break behind the secret."), f"{secret}\n"),
        (_("They signed with a line break behind the secret."), f"{secret}\r\n"),
        (_("They signed with the secret in lower case."), secret.lower()),
        (_("They signed with the secret in upper case."), secret.upper()),
        (_("They signed without a secret."), ""),
    ):
        if variant != secret:
            yield words, _with(sign, variant)
    for name, other in others.items():
        if other != secret:
            yield gettext("It was signed with the secret of %(name)s.") % {"name": name}, _with(sign, other)


def value_trials(sign: Callable[[dict[str, str]], Iterable[str]], values: Mapping[str, str]) -> Iterator[Trial]:
    """The fields with their values written otherwise, or with one left out."""
    for words, change in (
        (_("They signed the values without the blanks around them."), str.strip),
        (_("They signed percent-encoded values: the plain ones are signed."), lambda text: quote(text, safe="")),
        (_("They signed values with + for blanks: the plain ones are signed."), quote_plus),
        (_("They signed other line breaks than were sent."), lambda text: text.replace("\r\n", "\n")),
        (_("They signed other line breaks than were sent."), lambda text: text.replace("\n", "\r\n")),
        (_("They signed UTF-8 that was read as Latin-1."), lambda text: text.encode().decode("latin-1")),
        (_("They signed the values in lower case."), str.lower),
    ):
        changed = {name: change(value) for name, value in values.items()}
        if changed != values:
            yield words, _with(sign, changed)
    filled = {name: value for name, value in values.items() if value}
    if filled != values:
        yield _("They left out the fields that are empty."), _with(sign, filled)
    for name in values:
        rest = {other: value for other, value in values.items() if other != name}
        yield gettext("They left out the field %(name)s.") % {"name": name}, _with(sign, rest)


def found_by(trials: Iterable[Trial], given: str) -> list[Any]:
    """The words of those trials that make the given signature, whatever its case."""
    found = [words for words, signs in trials if given.upper() in (one.upper() for one in signs())]
    return found or [NOTHING_FITS]


def form_hints(given: str, expected: Iterable[str], *, digits: int) -> list[Any]:
    """What is odd about a signature of so many hexadecimal digits, by its form alone."""
    plain = given.strip()
    if given != plain:
        return [_("There are blanks or line breaks around the signature.")]
    if any(plain.upper() == one.upper() for one in expected):
        return [_("Only upper and lower case differ.")]
    if len(plain) == digits and all(char in "0123456789abcdefABCDEF" for char in plain):
        return []
    words = _("A signature has %(digits)s hexadecimal digits; the given one has %(length)s characters.")
    return [words % {"digits": digits, "length": len(plain)}]


def _with(sign: Callable[[Any], Iterable[str]], variant: Any) -> Signs:
    return lambda: sign(variant)
