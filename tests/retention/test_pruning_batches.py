"""Pruning goes in small batches, which may be cut off anywhere, run twice at once, and wait for nobody."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.models import OutboxRow, Push
from integrations.retention import pruning
from tests.outbox.helpers import row_of
from tests.retention.conftest import Known
from tests.retention.helpers import NOTHING_PRUNED, everything_old

pytestmark = pytest.mark.django_db(transaction=True)


def test_batches_are_small_and_a_run_is_bounded(known: Known, settings: Any) -> None:
    settings.RETENTION_BATCH, settings.RETENTION_MOST_A_RUN = 2, 3
    everything_old()
    Push.objects.update(received_at=timezone.now() - timedelta(days=365))  # all at the same moment
    count = Push.objects.count()
    assert count > 3
    assert pruning.due()["pushes"] == 3
    assert pruning.prune()["pushes"] == 3
    assert pruning.prune()["pushes"] == count - 3


def test_killed_between_batches_it_goes_on_with_the_rest(
    known: Known, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RETENTION_BATCH = 1
    everything_old()
    due = pruning.due()["attempts"]

    def killed(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pruning._ending, "wait", killed)
        with pytest.raises(KeyboardInterrupt):
            pruning.prune()
    assert pruning.due()["attempts"] == due - 1
    assert pruning.prune()["attempts"] == due - 1


def test_a_worker_that_is_to_end_does_not_wait_for_a_whole_run(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    everything_old()
    monkeypatch.setattr(pruning, "_ending", threading.Event())
    pruning.wind_down()
    assert pruning.prune() == NOTHING_PRUNED


def test_two_runs_at_once_prune_each_row_once(known: Known, settings: Any) -> None:
    settings.RETENTION_BATCH = 1
    everything_old()
    due, counts, together = pruning.due(), [], threading.Barrier(2)

    def run() -> None:
        try:
            together.wait()
            counts.append(pruning.prune())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: sum(count[name] for count in counts) for name in due} == due


def test_what_a_worker_holds_is_left_alone(known: Known) -> None:
    everything_old()
    row = row_of(known.pushed)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                OutboxRow.objects.select_for_update().get(pk=row.pk)
                held.set()
                let_go.wait(10)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    pruning.prune()
    assert row.attempts.get().request
    let_go.set()
    holder.join()
    pruning.prune()
    assert row.attempts.get().request == {}
