"""Values that nobody means well with, as JSON text and as form and query values: what they share is here alone."""

import json
from typing import Any

from hypothesis import strategies as st

TEXTS = [
    "", " ", "\t", "\n", "\x00", "a\x00b", "\ud800", "\udfff", "a\ud83d", "\u202e4321", "\u200b", "\ufeff",
    "１３８００１３８０００",
    "é", "e\u0301", "👨\u200d👩\u200d👧", "𠮷野家", "ﷺ" * 50, "x" * 64, "x" * 65, "x" * 128, "x" * 129, "券" * 300,
    "null", "true",
    "0", "-0", "00", "1e3", "1E400", "0x10", "1_000", "1,5", "NaN", "Infinity", "٣", "½", "erased:1", "88", "99",
    "13800138000",
    "'; DROP TABLE coupons_issuedcoupon; --", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "../../etc/passwd",
    "${jndi:ldap://x}", "%00", "%s%n", "{{7*7}}", "a" * 5000, "\u2028", "\r\nX: y", "cash", "dine_in", "o-1",
]  # fmt: skip
LITERALS = [
    "-0", "-0.0", "0.0", "1.0", "10.00", "1e2", "1e400", "-1e400", "1E-400", "0.1", "0.10", "1e-7", "2147483648",
    "9223372036854775808", "-9223372036854775809", "9" * 400, "9" * 1001, "1." + "0" * 300 + "1",
    "0.30000000000000004",
    "1e1000000000000", "100", "7.5", "9.99", "0", "-1", "1", "01", "+1", ".5", "1.", "0x1", "NaN", "Infinity",
    "-Infinity",
    "true", "false", "null", "[]", "{}", '[["88"]]', '{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}',
    "[" * 60 + "]" * 60,
    "[" * 30_000 + "]" * 30_000, "", "'x'", "undefined",
]  # fmt: skip
MOMENTS = [
    "2026-02-29 10:00:00", "2028-02-29 10:00:00", "2100-02-29 00:00:00", "2099-12-31 23:59:59", "2099-12-31 24:00:00",
    "2099-12-31 23:59:60", "9999-12-31 23:59:59", "10000-01-01 00:00:00", "0000-00-00 00:00:00",
    "0001-01-01 00:00:00",
    "1969-12-31 23:59:59", "2099-1-1 1:1:1", "2099-12-31", "2099-12-31T23:59:59", "2099-12-31T23:59:59+08:00",
    "2099-12-31T23:59:59Z", "2099-12-31T23:59:59+24:00", "2099-12-31T23:59:59.999999999+08:00",
    "9999-12-31T23:59:59-23:59",
    "２０９９-12-31 00:00:00", " 2099-12-31 00:00:00", "2099-12-31 00:00:00\n", "4102444799",
    "2199-12-31T23:59:59-12:00",
    "2026-11-28", "2028-02-29", "2026-02-30", "2000-01-01T00:00:00+00:00",
]  # fmt: skip

texts = st.sampled_from(TEXTS) | st.text(max_size=40) | st.text(st.characters(min_codepoint=0xD7F0), max_size=4)
moments = st.sampled_from(MOMENTS)
numbers = st.integers() | st.integers(-3, 300) | st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def text_of(value: Any) -> str:
    """A value as JSON text, in ASCII, so that half characters can be sent too."""
    return json.dumps(value)


# Any value at all as JSON text, most of it wrong for the field it is put into.
anything = (
    st.sampled_from(LITERALS)
    | (moments | texts).map(text_of)
    | numbers.map(text_of)
    | nested.map(text_of)
    | st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,6})?", fullmatch=True)
)
# The same for forms, queries and headers, which know texts alone.
words = texts | moments | st.sampled_from([one for one in LITERALS if len(one) < 2000])
