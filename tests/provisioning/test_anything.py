"""Any JSON in place of any value: an error that is named and nothing stored, or a file that is taken."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.provisioning.helpers import dump, example, places, provision, put

pytestmark = pytest.mark.django_db
MORE = int(os.environ.get("HYPOTHESIS_TRIES", "1"))

texts = st.text(max_size=20) | st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010), max_size=2)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from([10**64, 10**4000, 2**31, 2**63, 1e308, "88", "main", "discount", "2026-12-31", ["88"], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


PLACES = list(places(example()))
calm = settings(
    max_examples=120 * MORE,
    deadline=None,
    database=None,
    derandomize=MORE == 1,
    suppress_health_check=list(HealthCheck),
)


def attempt(folder: Path, document: Any) -> None:
    """Taken as a whole, and then for good; or refused, and then without a trace."""
    before, said = dump(), ""
    with transaction.atomic():
        try:
            provision(folder, document)
        except CommandError as error:
            said = str(error)
        else:
            assert provision(folder, document) == ["nothing to change"]
            transaction.set_rollback(True)
            return
    assert said.strip()
    assert dump() == before


@calm
@given(place=st.sampled_from(PLACES), value=values)
def test_any_value_in_what_is_new(tmp_path: Path, place: tuple[str | int, ...], value: Any) -> None:
    attempt(tmp_path, put(example(), place, value))


@pytest.fixture
def _provisioned(tmp_path: Path, db: None) -> None:
    """Everything is there already."""
    provision(tmp_path, example())


@pytest.mark.usefixtures("_provisioned")
@calm
@given(place=st.sampled_from(PLACES), value=values)
def test_any_value_in_what_is_there(tmp_path: Path, place: tuple[str | int, ...], value: Any) -> None:
    attempt(tmp_path, put(example(), place, value))
