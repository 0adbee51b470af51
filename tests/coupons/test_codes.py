"""Codes: sixteen digits, all different, and evenly drawn."""

from collections import Counter

from coupons.codes import CODE_DIGITS, new_codes


def test_codes_drawn_at_once_are_different_and_of_sixteen_digits() -> None:
    codes = new_codes(20_000)
    assert len(codes) == len(set(codes)) == 20_000
    assert all(len(code) == CODE_DIGITS and code.isdecimal() and code[0] != "0" for code in codes)
    assert new_codes(0) == []


def test_no_first_digit_is_likelier_than_another() -> None:
    """Of 18,000 each of the nine comes 2,000 times; seven standard deviations are 300."""
    firsts = Counter(code[0] for code in new_codes(18_000))
    assert set(firsts) == set("123456789")
    assert all(abs(count - 2000) < 300 for count in firsts.values()), firsts
