"""Signatures of dfire's gateway, on requests that we send and on callbacks that we receive: one formula for both."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.dfire.signing import SIGN_PARAMETER, canonical_string, sign, verify
from integrations.hooks.bodies import strict_form
from integrations.hooks.refusals import HookRefused
from integrations.signatures.differences import MARK, difference, without_secrets
from integrations.signatures.reports import Report, Unreadable, Verdict
from integrations.signatures.trials import Signs, Trial, form_hints, found_by, secret_trials, value_trials

METHOD = "SHA-1"
_DIGITS = 40


def examine(
    message: str,
    secret: str,
    *,
    app_key: str,
    given: str = "",
    theirs: str = "",
    others: Mapping[str, str] | None = None,
) -> Report:
    """Look at a query, an address with a query, or a form's body, as it was sent.

    Args:
        given: the signature, where it is none of the message's fields.
        theirs: the text that the other side says it signs.
        others: other accounts' secrets by the accounts' names.

    Raises:
        Unreadable: it is none.
    """
    params = _read(message)
    if given:
        params[SIGN_PARAMETER] = given
    received = params.get(SIGN_PARAMETER, "")
    unsigned = {name: value for name, value in params.items() if name != SIGN_PARAMETER}
    expected, canonical = sign(unsigned, secret), canonical_string(unsigned)
    report = Report(
        verdict=Verdict.MISSING,
        method=METHOD,
        canonical=[canonical],
        around=(MARK, MARK),
        expected=[expected],
        given=received,
        facts=[(_("fields"), ", ".join(sorted(unsigned)))],
    )
    if received:
        report.verdict = Verdict.RIGHT if verify(params, secret) else Verdict.WRONG
    if params.get("appKey") != app_key:
        said = params.get("appKey", gettext("none"))
        report.hints.append(gettext("Its appKey is not this account's: %(said)s.") % {"said": said})
    if report.verdict is Verdict.WRONG:
        form = form_hints(received, [expected], digits=_DIGITS)
        report.hints += form or found_by(_trials(unsigned, secret, app_key, others or {}), received)
    if theirs:
        report.difference = difference(canonical, without_secrets(theirs, [secret]).replace(MARK, ""))
    return report


def _trials(params: dict[str, str], secret: str, app_key: str, others: Mapping[str, str]) -> Iterator[Trial]:
    yield from secret_trials(lambda other: [sign(params, other)], secret, others)
    yield from value_trials(lambda changed: [sign(changed, secret)], params)
    for name, value in (("appKey", app_key), ("v", "1.0")):
        if name not in params:
            more = {**params, name: value}
            yield (
                gettext("They signed a field %(name)s that is not in the message.") % {"name": name},
                _of(more, secret),
            )


def _of(params: dict[str, str], secret: str) -> Signs:
    return lambda: [sign(params, secret)]


def _read(message: str) -> dict[str, str]:
    """The fields, as the hook reads them; an address in front of a query is passed over."""
    text = message.strip("\r\n")
    if text.startswith(("http://", "https://", "/", "?")):
        text = text.partition("?")[2]
    try:
        return strict_form(text.encode())
    except HookRefused as refusal:
        raise Unreadable(refusal.message) from None
