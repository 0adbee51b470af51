"""A customer is erased: nothing names them any more, nothing is lost of the figures, whatever comes in between."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.test import override_settings

from coupons import batches, issuing
from coupons import erasing as coupons_erasing
from coupons.choices import CouponStatus, EventKind
from coupons.errors import Reason, Refused
from coupons.models import CouponEvent, IssuedCoupon
from integrations.models import DfireCallback, Finding, OutboxRow, Push
from integrations.models.outbox import RowKind, RowState
from integrations.models.reconcile import Drift, RunMode
from integrations.outbox import repair
from integrations.outbox.queue import row_for
from integrations.reconcile import runs
from integrations.retention import erasing, traces
from merchants import customers
from merchants.erasing import of_names
from merchants.models import Customer, Erasure
from tests.factories import STAFF
from tests.hooks.helpers import address_of, give_push, post
from tests.merchants.files import checked, table
from tests.outbox.dfire import WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, row_of, time_passes
from tests.retention.conftest import IDENTIFIER, MOBILE, NAMES, OPENID, Known
from tests.retention.helpers import counts_right, erase, everything, figures, held_at, where

pytestmark = pytest.mark.django_db(transaction=True)


def erased(customer: Customer) -> Erasure:
    """The erasure, taken to its end."""
    erasure = erase(customer)
    drain_through()
    assert erasing.advance_all() == 1
    erasure.refresh_from_db()
    return erasure


def test_nothing_in_the_database_names_an_erased_customer(known: Known) -> None:
    LogEntry.objects.create(
        user=User.objects.create_user("lili"), action_flag=CHANGE, object_id=str(known.customer.pk),
        content_type_id=_type_of(Customer), object_repr=IDENTIFIER, change_message=f"bound {OPENID}",
    )  # fmt: skip
    run = runs.start(known.customer.merchant, RunMode.FULL)
    seen = {"appid": "wx", "openid": OPENID, "mobile": MOBILE}
    Finding.objects.create(
        run=run, kind=Drift.UNKNOWN_HERE, subject="x", customer=known.customer, details=seen, read_at=run.created_at
    )
    unknown = row_for(RowKind.WITHDRAW_UNKNOWN, known.customer.merchant, details={"code": "x", "seen": seen})
    unknown.state = RowState.DONE
    unknown.save()
    file = batches.begin_issue(known.template, "\n".join(NAMES))
    batches.work_all()
    batches.cancel(file)
    checked(known.customer.merchant, table((IDENTIFIER, "13700000001", ""), ("x", MOBILE, ""), ("y", "", OPENID)))
    for name in NAMES:
        assert len(where(name)) > 3, "the test must have something to find"
    assert erased(known.customer).finished_at
    assert {name: where(name) for name in NAMES} == {name: [] for name in NAMES}


def test_the_figures_are_the_same_before_and_after(known: Known, dfire: Dfire) -> None:
    coupon = known.pushed
    dfire.redeem(coupon.code)
    known.call_back(coupon)
    known.template.refresh_from_db()
    before, count = figures(known.template.merchant), known.template.issued_count
    erased(known.customer)
    assert figures(known.template.merchant) == before
    assert before["worth"] == 2 * 1000
    assert counts_right(known.template)
    assert known.template.issued_count == count == 3


def test_a_usable_coupon_is_revoked_and_withdrawn_and_then_counts_like_any_revoked_one(
    known: Known, dfire: Dfire
) -> None:
    before = figures(known.template.merchant)
    erased(known.customer)
    coupon = IssuedCoupon.objects.get(pk=known.pushed.pk)
    assert coupon.status == CouponStatus.REVOKED
    assert held_at(dfire, coupon) == "deleted"
    after = figures(known.template.merchant)
    assert {name: after[name] for name in ("issued", "redeemed", "worth")} == {
        name: before[name] for name in ("issued", "redeemed", "worth")
    }
    assert counts_right(known.template)
    kinds = list(coupon.events.values_list("kind", flat=True))
    assert kinds[-2:] == [EventKind.REVOKED, EventKind.WITHDRAWN]


def test_others_keep_their_data(known: Known) -> None:
    other = known.of_another.customer
    erased(known.customer)
    other.refresh_from_db()
    assert other.openid
    assert IssuedCoupon.objects.get(pk=known.of_another.pk).delivered_openid == other.openid
    assert row_of(known.of_another).attempts.get().request


def test_the_names_are_gone_from_the_customers_row_at_once(known: Known) -> None:
    erase(known.customer)
    row = Customer.objects.get(pk=known.customer.pk)
    assert not {row.identifier, row.mobile, row.openid} & set(NAMES)
    assert not Customer.objects.filter(identifier=IDENTIFIER).exists()


def test_an_erasure_waits_until_dfire_has_let_go_of_the_coupons(known: Known, dfire: Dfire) -> None:
    dfire.fault(WITHDRAW, "busy", times=None)
    erasure = erase(known.customer)
    time_passes()
    assert not erasing.advance(erasure)
    assert erasing.progress(erasure) == erasing.Progress(usable=0, redeeming=0, withdrawals=1, failed=0)
    assert not traces.forget_coupon(known.pushed.pk), "nor does a sweep that looked a moment too early"
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).delivered_openid == OPENID  # dfire must still be told whose
    dfire.behave()
    drain_through()
    assert erasing.advance_all() == 1
    assert not where(OPENID)


def test_a_withdrawal_that_failed_holds_the_erasure_until_staff_have_retried_it(known: Known, dfire: Dfire) -> None:
    erasure = erase(known.customer)
    row = row_of(known.pushed, RowKind.WITHDRAW)
    OutboxRow.objects.filter(pk=row.pk).update(state=RowState.DEAD, last_message="no")
    assert erasing.advance_all() == 0
    assert erasing.progress(erasure).failed == 1
    assert repair.retry([row]) == 1
    drain_through()
    assert erasing.advance_all() == 1
    assert not where(OPENID)


def test_a_coupon_that_is_being_redeemed_is_waited_for(known: Known) -> None:
    IssuedCoupon.objects.filter(pk=known.pushed.pk).update(status=CouponStatus.REDEEMING)
    erasure = erase(known.customer)
    drain_through()
    assert erasing.advance_all() == 0
    assert erasing.progress(erasure).redeeming == 1
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).status == CouponStatus.REDEEMING
    known.call_back(known.pushed)
    assert erasing.advance_all() == 1
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).status == CouponStatus.REDEEMED
    assert not where(OPENID)


def test_a_late_callback_of_an_erased_customers_coupon_still_counts(known: Known) -> None:
    erased(known.customer)
    assert known.call_back(known.pushed).json()["success"]
    coupon = IssuedCoupon.objects.get(pk=known.pushed.pk)
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_revoked")
    assert counts_right(known.template)
    assert not where(OPENID), "what came late names nobody either"
    known.call_back(known.pushed, v="2.0")
    assert not where(OPENID)


def test_the_same_identifier_pushed_again_makes_a_new_customer(known: Known) -> None:
    erased(known.customer)
    push = give_push(known.template.coupon_id, identifier=IDENTIFIER, expiration_time="2031-01-01 00:00:00")
    assert post(address_of(known.platform, "coupon-detail"), push).status_code == 200
    newcomer = Customer.objects.get(identifier=IDENTIFIER)
    assert newcomer.pk != known.customer.pk
    assert (newcomer.mobile, newcomer.openid) == ("", "")


def test_a_repeated_request_is_recognised_by_the_hash_alone(known: Known) -> None:
    erased(known.customer)
    for name in NAMES:
        assert of_names([name]).get().customer_id == known.customer.pk
    assert not of_names(["13912340988"]).exists()
    keys = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    with override_settings(FIELD_ENCRYPTION_KEYS=keys):
        assert of_names([MOBILE]).exists(), "a new key in front changes nothing"
    with override_settings(FIELD_ENCRYPTION_KEYS=keys[:1]):
        assert not of_names([MOBILE]).exists(), "without the key nobody can try numbers"


def test_an_erased_row_is_never_given_anything_again(known: Known) -> None:
    erased(known.customer)
    with pytest.raises(Refused) as refusal:
        issuing.issue(template=known.template, customer=known.customer, through=STAFF)
    assert refusal.value.reason is Reason.CUSTOMER_ERASED
    with pytest.raises(customers.CustomerErased):
        customers.bind(known.customer, openid="o-new")
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=known.customer.pk).update(mobile=MOBILE)


def test_rows_of_an_erased_customer_are_not_retried(known: Known) -> None:
    erased(known.customer)
    settled = OutboxRow.objects.filter(coupon__customer=known.customer)
    settled.update(state=RowState.CANCELLED)
    assert repair.retry(settled) == 0


def test_history_says_that_it_was_done_by_whom_and_why_without_a_name(known: Known) -> None:
    erasure, _ = coupons_erasing.erase(known.customer, reason=f"{IDENTIFIER} ({MOBILE}) wrote", asked_by="staff:lili")
    assert (erasure.reason, erasure.asked_by) == ("*** (***) wrote", "staff:lili")
    event = CouponEvent.objects.get(coupon=known.pushed, kind=EventKind.REVOKED)
    assert (event.actor, event.data) == ("staff:lili", {"reason": "customer_erased"})


def test_the_names_wait_encrypted_and_go_at_the_end(known: Known) -> None:
    erasure = erase(known.customer)
    assert erasure.names_left() == set(NAMES)
    line = next(line for line in everything().splitlines() if line.startswith("merchants_erasure:"))
    assert not [name for name in NAMES if name in line]
    drain_through()
    erasing.advance_all()
    assert Erasure.objects.get().names_left() == set()


def test_an_open_callback_stays_open_without_the_name(known: Known) -> None:
    erased(known.customer)
    callback = DfireCallback.objects.get(coupon=None)
    assert callback.state == "unknown_coupon"
    assert callback.parameters["openid"] == "***"
    assert callback.parameters["thirdDeliverCode"] == callback.code


def test_refused_pushes_of_others_are_left_alone(known: Known) -> None:
    post(address_of(known.platform, "coupon-detail"), give_push("none", identifier="13912340988"))
    erased(known.customer)
    assert "13912340988" in Push.objects.filter(status=404).latest("id").body


def test_the_command_erases_and_says_how_far_it_is(known: Known, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["erase_customer", "88", MOBILE, "--reason", "asked by letter"]
    call_command(*arguments)
    assert "1 withdrawals left" in capsys.readouterr().out
    drain_through()
    call_command(*arguments)  # found again by its hash
    assert f"Customer {known.customer.pk} has been erased." in capsys.readouterr().out
    call_command(*arguments)
    assert "has been erased." in capsys.readouterr().out
    assert Erasure.objects.count() == 1


def test_the_command_names_what_it_does_not_find(known: Known) -> None:
    with pytest.raises(CommandError, match="No merchant"):
        call_command("erase_customer", "99", MOBILE, "--reason", "r")
    with pytest.raises(CommandError, match="no customer"):
        call_command("erase_customer", "88", "nobody", "--reason", "r")


def _type_of(model: Any) -> int:
    return ContentType.objects.get_for_model(model).pk
