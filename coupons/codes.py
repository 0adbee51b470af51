"""The two kinds of number that the portal makes up: coupon codes and coupon ids. Both unguessable, both digits."""

import secrets
import struct

CODE_DIGITS = 16
COUPON_ID_DIGITS = 10
_FIRST_CODE = 10 ** (CODE_DIGITS - 1)
_CODES = 9 * 10 ** (CODE_DIGITS - 1)
_MASK = 2**53 - 1  # the fewest bits that hold as many codes: one draw in a thousand is beyond them


def new_code() -> str:
    """A coupon's code: 16 digits, the first not 0, so that no spreadsheet shortens it."""
    return str(secrets.randbelow(_CODES) + _FIRST_CODE)


def new_codes(count: int) -> list[str]:
    """So many different codes, each as `new_code` makes it: drawn at once, which is many times faster."""
    codes: set[str] = set()
    while missing := count - len(codes):
        drawn = (number & _MASK for (number,) in struct.iter_unpack("Q", secrets.token_bytes(8 * missing)))
        codes.update(str(number + _FIRST_CODE) for number in drawn if number < _CODES)
    return list(codes)


def new_coupon_id() -> str:
    """A template's id in all three systems: 10 random digits, so that a reinstall cannot overwrite promotion 1."""
    return str(secrets.randbelow(9 * 10 ** (COUPON_ID_DIGITS - 1)) + 10 ** (COUPON_ID_DIGITS - 1))
