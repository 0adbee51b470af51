"""The signature agrees with the gateway's own code and lets nothing changed through."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.dfire.signing import canonical_string, sign, verify

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/dfire_sign.json").read_text("utf-8"))["cases"]
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS]


def signed(case):
    return {**case["params"], "sign": case["sign"]}


@pytest.mark.parametrize("case", CASES)
def test_sign_gives_what_the_gateways_own_code_gave(case):
    assert sign(case["params"], case["secret"]) == case["sign"]


@pytest.mark.parametrize("case", CASES)
def test_verify_accepts_what_the_gateway_signed(case):
    assert verify(signed(case), case["secret"])


@pytest.mark.parametrize("case", CASES)
def test_verify_refuses_every_change_of_a_single_character(case):
    params = signed(case)
    for name, value in params.items():
        for position in range(len(value)):
            other = "1" if value[position] != "1" else "2"
            changed = value[:position] + other + value[position + 1 :]
            assert not verify({**params, name: changed}, case["secret"]), (name, position)
            shorter = value[:position] + value[position + 1 :]
            assert not verify({**params, name: shorter}, case["secret"]), (name, position)
        assert not verify({**params, name: value + " "}, case["secret"])
        assert not verify({**params, name: " " + value}, case["secret"])


@pytest.mark.parametrize("case", CASES)
def test_verify_refuses_a_parameter_added_removed_or_renamed_and_another_secret(case):
    params = signed(case)
    assert not verify({**params, "extra": "x"}, case["secret"])
    for name in case["params"].keys() - {"sign"}:
        rest = {key: value for key, value in params.items() if key != name}
        assert not verify(rest, case["secret"]), name
        assert not verify({**rest, name + "x": params[name]}, case["secret"]), name
    assert not verify(params, case["secret"] + "x")


@pytest.mark.parametrize("received", ["", "é" * 40, "\ud800", "nonsense", "a" * 41])
def test_verify_takes_a_signature_that_is_none_as_unsigned(received):
    assert not verify({"appKey": "k", "sign": received}, "s")


def test_verify_takes_a_missing_signature_as_unsigned():
    assert not verify({"appKey": "k"}, "s")


def test_verify_wants_the_signature_in_upper_case_as_the_gateway_writes_it():
    assert not verify({"a": "1", "sign": sign({"a": "1"}, "s").lower()}, "s")


def test_verify_takes_text_that_is_no_utf8_as_unsigned():
    assert not verify({"a": "\ud800", "sign": "0" * 40}, "s")


def test_sign_refuses_text_that_is_no_utf8():
    with pytest.raises(ValueError, match="surrogates"):
        sign({"a": "\ud800"}, "s")


def test_canonical_string_holds_no_secret():
    assert canonical_string({"b": "2", "A": " 1", "sign": "x", "c": ""}) == "A 1b2c"


def test_the_package_needs_neither_django_nor_our_apps():
    code = (
        "import sys, integrations.dfire, integrations.dfire.signing\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'merchants', 'coupons', 'config')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
