"""Retrying failed rows: what may have happened at dfire is asked first, and no two rows do the same."""

import pytest

from integrations.models import OutboxAttempt, OutboxRow
from integrations.outbox import repair
from tests.admin.conftest import World
from tests.factories import MerchantFactory


def test_a_refused_delivery_is_sent(world: World) -> None:
    assert repair.retry([world.dead]) == 1
    assert OutboxRow.objects.get(pk=world.dead.pk).phase == "send"


@pytest.mark.parametrize("result", ["uncertain", "lost", "broken", ""])
def test_a_delivery_of_unknown_outcome_is_asked_about(world: World, result: str) -> None:
    OutboxAttempt.objects.filter(row=world.dead).update(result=result)
    repair.retry([world.dead])
    assert OutboxRow.objects.get(pk=world.dead.pk).phase == "ask"


def test_what_was_never_sent_is_sent(world: World) -> None:
    OutboxAttempt.objects.filter(row=world.dead).delete()
    OutboxRow.objects.filter(pk=world.dead.pk).update(last_class="broken")
    repair.retry([world.dead])
    assert OutboxRow.objects.get(pk=world.dead.pk).phase == "send"


def test_saving_a_promotion_may_simply_be_repeated(world: World) -> None:
    row = OutboxRow.objects.get(template=world.template, kind="save_promotion")
    OutboxRow.objects.filter(pk=row.pk).update(state="dead", last_class="uncertain", phase="ask")
    repair.retry([row])
    assert OutboxRow.objects.get(pk=row.pk).phase == "send"


def test_not_while_another_row_does_it(world: World) -> None:
    row = OutboxRow.objects.get(pk=world.dead.pk)
    row.pk, row.state = None, "queued"
    row.save()
    assert repair.retry([world.dead]) == 0


def test_a_row_without_an_account_waits_for_one(world: World) -> None:
    merchant = MerchantFactory(dfire_account=None)
    OutboxRow.objects.filter(pk=world.dead.pk).update(account=None, merchant=merchant)
    repair.retry([world.dead])
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "waiting"


@pytest.mark.parametrize("state", ["queued", "waiting", "done", "cancelled"])
def test_only_failed_rows_are_given_up(world: World, state: str) -> None:
    OutboxRow.objects.filter(pk=world.dead.pk).update(state=state)
    assert repair.cancel([world.dead]) == 0
    assert OutboxRow.objects.get(pk=world.dead.pk).state == state
