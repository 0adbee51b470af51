"""Signatures of smart-coupon pushes: revision 1 has none, 2 signs its fields, 3 the moment alone."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.hooks.bodies import strict_json
from integrations.hooks.refusals import HookRefused
from integrations.signatures.differences import MARK, difference, without_secrets
from integrations.signatures.reports import Report, Unreadable, Verdict
from integrations.signatures.trials import Trial, form_hints, found_by, secret_trials
from integrations.smart_coupon.revisions import (
    FIRST,
    SECOND,
    SIGNATURE,
    SIGNATURE_TIME,
    THIRD,
    Revision,
    Signed,
    revision_of,
)
from integrations.smart_coupon.signatures import body_signatures, body_texts, signed_at, time_signatures

METHOD = "MD5"
_DIGITS = 32
_REVISIONS = {revision.number: revision for revision in (FIRST, SECOND, THIRD)}


def examine(
    message: str, key: str, *, revision: int | None = None, given: str = "", theirs: str = "",
    others: Mapping[str, str] | None = None,
) -> Report:  # fmt: skip
    """Look at the body of a push as it was sent.

    Args:
        key: the account's developer key.
        revision: 1, 2 or 3; None = as its fields say.
        given: the signature, where it is not in the body.
        theirs: the text that the other side says it signs.
        others: other accounts' developer keys by the accounts' names.

    Raises:
        Unreadable: it is no JSON object.
    """
    body = message.strip().encode()
    try:
        fields = strict_json(body)
    except HookRefused as refusal:
        raise Unreadable(refusal.message) from None
    found = _REVISIONS[revision] if revision else revision_of(fields)
    received = given or str(fields.get(SIGNATURE) or "")
    facts = [(_("revision"), str(found.number)), (_("fields"), ", ".join(sorted(fields)))]
    if found.signed is Signed.NOT:
        hints = [_("Pushes of revision 1 are not signed. An account may demand a signature, which refuses them.")]
        return Report(verdict=Verdict.NOT_SIGNED, method="-", given=received, facts=facts, hints=hints)
    expected = _signatures(found, fields, body, key)
    report = Report(
        verdict=Verdict.MISSING,
        method=METHOD,
        canonical=_texts(found, fields, body),
        around=(MARK, "") if found.signed is Signed.TIME else ("", f"&key={MARK}"),
        expected=expected,
        given=received,
        facts=facts,
        hints=_about_time(fields) if found.signed is Signed.TIME else [],
    )
    if received:
        report.verdict = Verdict.RIGHT if received.upper() in expected else Verdict.WRONG
    if report.verdict is Verdict.WRONG:
        form = form_hints(received, expected, digits=_DIGITS)
        report.hints += form or found_by(_trials(found, fields, body, key, others or {}), received)
    if theirs and report.canonical:
        said = without_secrets(theirs, [key]).removesuffix(f"&key={MARK}").replace(MARK, "")
        report.difference = min((difference(text, said) for text in report.canonical), key=_least)
    return report


def _least(found: Any) -> float:
    """The way of writing its numbers that goes along the furthest; one that is the same first of all."""
    return -float("inf") if found is None else -found.position


def _signatures(revision: Revision, fields: dict[str, Any], body: bytes, key: str) -> list[str]:
    return time_signatures(fields, key) if revision.signed is Signed.TIME else body_signatures(body, key)


def _texts(revision: Revision, fields: dict[str, Any], body: bytes) -> list[str]:
    return [str(fields.get(SIGNATURE_TIME, ""))] if revision.signed is Signed.TIME else body_texts(body)


def _trials(
    revision: Revision, fields: dict[str, Any], body: bytes, key: str, others: Mapping[str, str]
) -> Iterator[Trial]:
    yield from secret_trials(lambda other: _signatures(revision, fields, body, other), key, others)
    if revision.signed is Signed.TIME:
        yield _("They signed the fields, as revision 2 does."), lambda: body_signatures(body, key)
        return
    yield _("They signed the time alone, as revision 3 does."), lambda: time_signatures(fields, key)
    values: dict[str, Any] = json.loads(body, parse_float=_Kept, parse_int=_Kept)
    for words, changed in (
        (_("They left out the fields that are empty."), {name: value for name, value in values.items() if value != ""}),
        (_("They signed null as the word null."), {n: "null" if v is None else v for n, v in values.items()}),
        (_("They signed null as nothing."), {n: "" if v is None else v for n, v in values.items()}),
        (_("They signed the values without the blanks around them."),
         {n: v.strip() if isinstance(v, str) else v for n, v in values.items()}),
    ):  # fmt: skip
        if changed != values:
            yield words, _of(changed, key)
    for name in values:
        if name != SIGNATURE:
            rest = {other: value for other, value in values.items() if other != name}
            yield gettext("They left out the field %(name)s.") % {"name": name}, _of(rest, key)


class _Kept(float):
    """A number that is written again as it stood."""

    def __new__(cls, text: str) -> "_Kept":
        """Remember the text."""
        made = super().__new__(cls, text)
        made.text = text  # type: ignore[attr-defined]
        return made

    def __repr__(self) -> str:
        return str(self.text)  # type: ignore[attr-defined]


def _of(values: dict[str, Any], key: str) -> Any:
    return lambda: body_signatures(_written(values), key)


def _written(values: dict[str, Any]) -> bytes:
    """The fields as JSON again, numbers as they stood."""
    parts = (f"{json.dumps(n)}:{v!r}" if isinstance(v, _Kept) else f"{json.dumps(n)}:{json.dumps(v)}"
             for n, v in values.items())  # fmt: skip
    return f"{{{','.join(parts)}}}".encode()


def _about_time(fields: dict[str, Any]) -> list[Any]:
    """Whether the moment that was signed is now, as a push has to be."""
    try:
        signed_at(fields)
    except HookRefused as refusal:
        words = gettext("As a push it is refused today: %(why)s") % {"why": refusal.message}
        told = str(fields.get(SIGNATURE_TIME, ""))
        if told.isdigit() and len(told) == 13:
            words = f"{words} ({datetime.fromtimestamp(int(told) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC)"
        return [words]
    return []
