"""Every change of one character that someone may make to a message on its way."""

from collections.abc import Iterator

_PUT_IN = ("0", "&", " ")


def edits(text: str) -> Iterator[tuple[str, str]]:
    """What was done, and what comes of it, for each position: another character, none, one more, swapped with its
    neighbour, in the other case. Nothing comes twice, nor the text itself."""
    seen = {text}
    for at, char in enumerate(text):
        before, after = text[:at], text[at + 1 :]
        changed = [("none", before + after), ("case", before + char.swapcase() + after)]
        changed += [(f"instead: {one!r}", before + one + after) for one in (_next(char), "0")]
        changed += [(f"before: {one!r}", before + one + char + after) for one in _PUT_IN]
        if after:
            changed.append(("swapped", before + after[0] + char + after[1:]))
        for how, made in changed:
            if made not in seen:
                seen.add(made)
                yield f"{how} at {at} ({char!r})", made


def _next(char: str) -> str:
    return chr(ord(char) + 1)
