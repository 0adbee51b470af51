"""After a restore every merchant is compared with dfire from the beginning."""

from io import StringIO

import pytest
from django.core.management import call_command

from integrations.models import Reconciliation
from integrations.models.reconcile import RunMode, RunStage, RunState
from integrations.reconcile import runs
from integrations.reconcile.restored import compare_all
from merchants.models import Merchant
from tests.factories import MerchantFactory
from tests.outbox.helpers import nobody_else

pytestmark = pytest.mark.django_db(transaction=True)


def going_on() -> list[tuple[int, str]]:
    running = Reconciliation.objects.filter(state=RunState.RUNNING).order_by("merchant")
    return list(running.values_list("merchant", "mode"))


def test_every_merchant_at_dfire_is_compared_as_a_whole(merchant: Merchant) -> None:
    other = MerchantFactory()
    MerchantFactory(dfire_account=None)
    said = StringIO()
    nobody_else()
    call_command("after_restore", stdout=said)
    assert "2 merchants are compared with dfire" in said.getvalue()
    assert going_on() == [(merchant.pk, "full"), (other.pk, "full")]


def test_a_second_run_begins_nothing(merchant: Merchant) -> None:
    assert (compare_all(), compare_all()) == (1, 0)
    assert Reconciliation.objects.count() == 1


@pytest.mark.parametrize(
    ("mode", "stage"), [(RunMode.FULL, RunStage.REST), (RunMode.FULL, RunStage.AT_RISK), (RunMode.QUICK, "promotions")]
)
def test_one_that_had_got_somewhere_in_the_dump_begins_anew(merchant: Merchant, mode: RunMode, stage: str) -> None:
    old = runs.start(merchant, mode)
    Reconciliation.objects.update(stage=stage, cursor=5)
    assert compare_all() == 1
    old.refresh_from_db()
    assert old.state == RunState.CANCELLED
    assert going_on() == [(merchant.pk, "full")]
