"""Whatever bytes come back, reading them ends in a value or in a DfireError, never in anything else."""

import contextlib
import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from integrations.dfire import DfireError
from integrations.dfire.envelope import open_envelope
from integrations.dfire.exchange import answer_text
from integrations.dfire.reading import (
    read_customer_promotions,
    read_delivery,
    read_done,
    read_promotions,
    read_saved_id,
)

READERS = [
    (read_promotions, False),
    (read_customer_promotions, False),
    (read_delivery, True),
    (read_saved_id, True),
    (read_done, True),
]
NAMES = [
    *("success", "model", "resultCode", "message", "errorToken", "code", "subErrors", "solution"),
    *("id", "startTime", "endTime", "chainStoreIds", "thirdDeliverCode", "status", "deliverSuccess"),
    *("starttime", "endtime", "delivertime", "canDeliver"),
]
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["true", "000"])
anything = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=12
)
answers = st.fixed_dictionaries({"success": st.just(True) | leaves, "model": anything}) | anything
statuses = st.sampled_from([200, 200, 200, 204, 302, 404, 429, 500, 503])


def read_everything(status: int, body: bytes) -> None:
    for read, writes in READERS:
        with contextlib.suppress(DfireError):
            read(open_envelope(status=status, body=body, writes=writes))
    assert "\x00" not in answer_text(body)
    answer_text(body).encode("utf-8")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=statuses, body=st.binary())
@example(status=200, body=b'{"success":true,"model":[{"startTime":1e999,"chainStoreIds":[[]]}]}')
def test_arbitrary_bytes(status, body):
    read_everything(status, body)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=statuses, document=answers)
def test_arbitrary_documents(status, document):
    read_everything(status, json.dumps(document).encode())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=answers, cut=st.integers(0, 400), junk=st.binary(max_size=8))
def test_documents_cut_short_or_with_junk_inside(document, cut, junk):
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    read_everything(200, body[:cut])
    read_everything(200, body[:cut] + junk + body[cut:])
