"""Contents that have come of age are removed, in batches; what is not settled stays, and history can still be read."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from coupons import batches
from coupons.choices import BatchState
from integrations import inbox
from integrations.models import DfireCallback, OutboxAttempt, OutboxRow, Push, PushAnswer
from integrations.models.inbox import Decision
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, repair
from integrations.retention import pruning
from integrations.retention.kinds import KINDS
from integrations.sync.identities import told_identity
from integrations.sync.words import NOT_NEEDED
from merchants.models import AuditEntry, FailedSignIn, SignIn, SignInLock
from tests.factories import issued
from tests.merchants.files import checked, yes
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, revoke, row_of
from tests.retention.conftest import MOBILE, OPENID, Known
from tests.retention.helpers import NOTHING_PRUNED, everything_old, made_old, where

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_dry_run_says_what_a_real_one_does_and_changes_nothing(
    known: Known, capsys: pytest.CaptureFixture[str]
) -> None:
    Session.objects.create(session_key="k", session_data="d", expire_date=timezone.now() - timedelta(days=2))
    batches.cancel(batches.begin_issue(known.template, MOBILE))
    yes(checked(known.template.merchant, "手机号\n123\n13700000001"))
    for model, more in ((SignIn, {}), (FailedSignIn, {}), (SignInLock, {"failures_since_start": 1})):
        model.objects.create(username="lili", ip_address="192.0.2.1", **more)
        model.objects.update(attempt_time=timezone.now() - timedelta(days=400))
    AuditEntry.objects.create(actor="lili", action="acted", at=timezone.now() - timedelta(days=4 * 365))
    everything_old()
    bodies = list(Push.objects.values_list("body"))
    said = pruning.due()
    assert min(said.values()) > 0, "every kind must have something to prune"
    call_command("prune", "--dry-run")
    assert list(Push.objects.values_list("body")) == bodies
    dry = capsys.readouterr().out
    call_command("prune")
    real = capsys.readouterr().out
    assert dry == real + "Nothing has been changed.\n"
    assert pruning.due() == pruning.prune() == NOTHING_PRUNED


def test_pruned_rows_name_nobody_and_stay_as_history(known: Known) -> None:
    before = {model: model.objects.count() for model in (OutboxAttempt, OutboxRow, Push, DfireCallback)}
    results = list(OutboxAttempt.objects.order_by("pk").values_list("method", "result", "started_at"))
    pruning.prune()
    assert list(OutboxAttempt.objects.order_by("pk").values_list("method", "result", "started_at")) == results
    everything_old()
    pruning.prune()
    assert {model: model.objects.count() for model in before} == before
    open_one = DfireCallback.objects.get(coupon=None)
    left = [line for line in where(OPENID) if not line.startswith(("merchants_customer", "coupons_issuedcoupon"))]
    assert [line.split(":")[0] for line in left] == ["integrations_dfirecallback"]
    assert f'"id":{open_one.pk},' in left[0], "only what is open still says whom it is about"


def test_what_is_younger_than_its_setting_stays(known: Known, settings: Any) -> None:
    everything_old(days=60)
    gone = {
        "push answers": 1, "used signatures": 1, "answers of the API": 1, "calls of the API": 1,
        "webhook deliveries": 1,
    }  # fmt: skip
    assert pruning.prune() == {**NOTHING_PRUNED, **gone}
    settings.RETENTION_PUSHES_DAYS = 59
    assert pruning.prune()["pushes"] == Push.objects.count()


def test_zero_days_keeps_for_good(known: Known, settings: Any) -> None:
    for kind in KINDS:
        setattr(settings, kind.setting, 0)
    everything_old()
    assert pruning.due() == pruning.prune() == NOTHING_PRUNED


@pytest.mark.parametrize("state", ["queued", "waiting", "dead"])
def test_what_is_not_settled_keeps_its_contents(known: Known, state: str) -> None:
    revoke(known.pushed)
    drain_through()
    delivered, withdrawal = row_of(known.pushed), row_of(known.pushed, RowKind.WITHDRAW)
    OutboxRow.objects.filter(pk=withdrawal.pk).update(state=state)
    everything_old()
    pruning.prune()
    assert withdrawal.attempts.get().request
    assert delivered.attempts.get().request, "nor what else was said about the coupon"
    assert row_of(known.of_another).attempts.get().request == {}
    OutboxRow.objects.filter(pk=withdrawal.pk).update(state=RowState.DONE)
    pruning.prune()
    assert withdrawal.attempts.get().request == {}


def test_the_only_evidence_of_under_whom_dfire_may_hold_a_coupon_stays(known: Known, dfire: Dfire) -> None:
    """An uncertain delivery that staff gave up: the coupon may be there, and is withdrawn when it ends."""
    dfire.fault(DELIVER, "drop_after", times=1)
    coupon = issued(known.template, known.customer)
    engine.drain()
    row = row_of(coupon)
    OutboxRow.objects.filter(pk=row.pk).update(state=RowState.CANCELLED, settled_at=timezone.now())
    everything_old()
    pruning.prune()
    coupon.refresh_from_db()
    told = told_identity(coupon)
    assert told is not None
    assert (told["appid"], told["openid"], told["mobile"]) == (coupon.merchant.appid, OPENID, MOBILE)
    revoke(coupon)
    drain_through()
    everything_old()
    pruning.prune()
    assert row.attempts.latest("id").identity == {}
    assert told_identity(coupon) is None


def test_a_pruned_row_is_not_retried(known: Known) -> None:
    row = row_of(known.pushed)
    OutboxRow.objects.filter(pk=row.pk).update(state=RowState.CANCELLED, last_message=NOT_NEEDED)
    everything_old()
    pruning.prune()
    row.refresh_from_db()
    assert (row.last_message, row.blanked_at is not None) == (NOT_NEEDED, True)
    assert repair.retry([row]) == 0


def test_an_open_callback_is_never_pruned(known: Known) -> None:
    open_one = DfireCallback.objects.get(coupon=None)
    made_old(DfireCallback.objects, 1000, "received_at", "sent_at", "tried_at")
    everything_old()
    pruning.prune()
    open_one.refresh_from_db()
    assert open_one.parameters["openid"] == OPENID
    assert inbox.settle_by_hand(open_one, decision=Decision.DISMISSED, note="none of ours", actor="staff:lili")
    everything_old()
    pruning.prune()
    open_one.refresh_from_db()
    assert open_one.parameters == {}


def test_an_answer_that_a_repeat_may_still_ask_for_stays(known: Known, settings: Any) -> None:
    settings.RETENTION_PUSH_ANSWERS_DAYS = 1
    known.platform.repeat_window_seconds = 3 * 24 * 3600
    known.platform.save()
    made_old(PushAnswer.objects, 2, "answered_at")
    assert pruning.prune()["push answers"] == 0
    made_old(PushAnswer.objects, 4, "answered_at")
    assert pruning.prune()["push answers"] == 1


def test_the_timeline_of_a_coupon_can_still_be_read(known: Known) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("root"))
    page = f"/admin/coupons/issuedcoupon/{known.redeemed.pk}/change/"
    before = client.get(page).content.decode()
    assert OPENID in before
    everything_old()
    pruning.prune()
    after = client.get(page).content.decode()
    assert OPENID not in after
    for words in ("Callback from dfire", "deliver a coupon · send", "dfire.shop.deliver.promotion", "redeemed"):
        assert words in before
        assert words in after
    assert "Contents removed on" not in before
    assert "Contents removed on" in after
    for model in (OutboxRow, OutboxAttempt, Push, DfireCallback):
        for row in model.objects.all():
            assert client.get(f"/admin/integrations/{model._meta.model_name}/{row.pk}/change/").status_code == 200


def test_pruning_finds_its_rows_by_an_index(known: Known) -> None:
    """However long the tables are: the planner is asked with sequential scans made dear."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for kind in KINDS:
            query = kind.due().order_by(kind.age, "pk")[:1000]
            plan = query.explain()
            table = kind.rows().model._meta.db_table
            assert f"Seq Scan on {table}" not in plan, plan


def test_a_file_that_waits_for_a_word_is_kept_until_it_is_too_old(known: Known) -> None:
    batch = batches.begin_issue(known.template, MOBILE)
    batches.work_all()
    pruning.prune()
    assert batch.rows.count() == 1
    everything_old()
    pruning.prune()
    batch.refresh_from_db()
    assert (batch.state, batch.rows.count()) == (BatchState.CANCELLED, 0)


def test_a_customer_file_that_waits_for_a_word_is_kept_until_it_is_too_old(known: Known) -> None:
    file = checked(known.template.merchant, "手机号\n123\n13700000001")
    pruning.prune()
    assert file.rows.count() == 2
    everything_old()
    pruning.prune()
    file.refresh_from_db()
    assert (file.state, file.rows.count()) == ("cancelled", 0)
