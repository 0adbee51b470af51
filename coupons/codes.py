"""The two kinds of number that the portal makes up: coupon codes and coupon ids. Both unguessable, both digits."""

import secrets

CODE_DIGITS = 16
COUPON_ID_DIGITS = 10


def new_code() -> str:
    """A coupon's code: 16 digits, the first not 0, so that no spreadsheet shortens it."""
    return str(secrets.randbelow(9 * 10 ** (CODE_DIGITS - 1)) + 10 ** (CODE_DIGITS - 1))


def new_coupon_id() -> str:
    """A template's id in all three systems: 10 random digits, so that a reinstall cannot overwrite promotion 1."""
    return str(secrets.randbelow(9 * 10 ** (COUPON_ID_DIGITS - 1)) + 10 ** (COUPON_ID_DIGITS - 1))
