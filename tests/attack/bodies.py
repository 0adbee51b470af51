"""Bodies of every kind that hooks and API take: well formed, with one thing broken, and plain noise.

A body is written as text, not by `json.dumps`, so that it can hold what no writer of JSON writes: a name twice, a
number with a thousand digits, half a character.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.attack.values import anything, text_of, texts

Pairs = list[tuple[str, str]]  # names and values, both as JSON text
Fields = Mapping[str, st.SearchStrategy[Any]]
Sign = Callable[[dict[str, Any]], dict[str, Any]]
UNKNOWN = [
    "unknown",
    "",
    "__proto__",
    "data_signature",
    "signature_time",
    "merchant_id",
    "status",
    "id",
    "código",
    "\x00",
]


def written(pairs: Pairs) -> str:
    """The object as text."""
    return "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"


def likely(fields: Fields, needed: Mapping[str, Any], sign: Sign | None = None) -> st.SearchStrategy[Pairs]:
    """A well-formed object: what is needed, and each of the fields or not, with a value that fits it."""

    def pairs(chosen: dict[str, Any]) -> Pairs:
        body = {**needed, **{name: value for name, value in chosen.items() if value is not None}}
        return [(text_of(name), text_of(value)) for name, value in (sign(body) if sign else body).items()]

    return st.fixed_dictionaries({}, optional=dict(fields)).map(pairs)


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[Pairs]) -> str:
    """One thing, rarely two or three, of a well-formed object is made wrong."""
    pairs = list(draw(whole))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        how = draw(st.sampled_from(["value", "value", "value", "name", "gone", "twice", "new", "null"]))
        at = draw(st.integers(0, len(pairs) - 1)) if pairs else 0
        if how == "new" or not pairs:
            pairs.append((text_of(draw(st.sampled_from(UNKNOWN) | texts)), draw(anything)))
        elif how == "value":
            pairs[at] = (pairs[at][0], draw(anything))
        elif how == "null":
            pairs[at] = (pairs[at][0], "null")
        elif how == "name":
            pairs[at] = (text_of(draw(texts)), pairs[at][1])
        elif how == "gone":
            del pairs[at]
        else:
            pairs.append((pairs[at][0], draw(anything | st.just(pairs[at][1]))))
    return written(pairs)


@st.composite
def spoiled(draw: st.DrawFn, whole: st.SearchStrategy[Pairs]) -> bytes:
    """A well-formed object whose text or encoding is spoiled."""
    text = written(draw(whole))
    at = draw(st.integers(0, len(text)))
    return draw(
        st.sampled_from([
            text[:at].encode(), text[at:].encode(), text.encode("utf-16"), text.encode("utf-32"),
            b"\xef\xbb\xbf" + text.encode(),
            f"[{text}]".encode(), f"{text}{text}".encode(), f" \n{text}\r\n".encode(), text.replace('"',
            "'").encode(),
            text.encode()[:at] + b"\xff" + text.encode()[at:], text.encode()[:at] + b"\x00" + text.encode()[at:],
            f'{{"a":{text}}}'.encode(), text_of(text).encode(), text.replace(":", "=").encode(),
            b"/*x*/" + text.encode(),
        ])
    )  # fmt: skip


def bodies(fields: Fields, needed: Mapping[str, Any], sign: Sign | None = None) -> st.SearchStrategy[bytes]:
    """Every kind of body, more of those that get far."""
    whole = likely(fields, needed, sign)
    return st.one_of(
        whole.map(lambda pairs: written(pairs).encode()),
        broken(whole).map(str.encode),
        broken(whole).map(str.encode),
        broken(whole).map(str.encode),
        spoiled(whole),
        st.binary(max_size=120),
    )
