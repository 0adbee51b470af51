"""A coupon changes hands: here at once, at dfire behind it, and it is never with two or with nobody for good."""

from collections.abc import Callable

import pytest
from django.db import transaction

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.errors import Reason, Refused
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import Phase, RowKind, RowState
from integrations.outbox import engine
from integrations.sync.words import OPENID_MISSING
from merchants.customers import bind
from merchants.models import Customer
from tests.factories import CustomerFactory
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER, SAVE, WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, events, leases_run_out, one_coupon, results, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)
TRANSFER = "dfire.shop.transfer.promotion"


@pytest.fixture
def coupon(template: CouponTemplate, dfire: Dfire) -> IssuedCoupon:
    """A coupon that dfire holds for its first customer."""
    made = one_coupon(template)
    engine.drain()
    return made


@pytest.fixture
def receiver(template: CouponTemplate) -> Customer:
    """Whom it is given to."""
    return CustomerFactory(merchant=template.merchant)


def give(coupon: IssuedCoupon, to: Customer) -> None:
    with transaction.atomic():
        lifecycle.transfer(lifecycle.lock([coupon.pk])[0], to, actor="staff:test")
    coupon.refresh_from_db()


def redeemed(coupon: IssuedCoupon) -> None:
    """A till's callback comes."""
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=coupon.issued_at)
    coupon.refresh_from_db()


def moves(dfire: Dfire) -> list[str]:
    """What dfire was asked after the promotion was saved and the coupon given out."""
    return [method for method in dfire.methods() if method != SAVE][1:]


def holder_at_dfire(dfire: Dfire, coupon: IssuedCoupon) -> str:
    """The openid under which the ledger has it, if anybody does."""
    row = dfire.coupon(coupon.code)
    return str(row["openid"]) if row and row["status"] in ("held", "used") else ""


def is_with(coupon: IssuedCoupon, holder: Customer, dfire: Dfire) -> None:
    """All three agree: the coupon's holder, the identity kept with it, dfire's ledger."""
    coupon.refresh_from_db()
    assert (coupon.customer, coupon.delivered_openid) == (holder, holder.openid)
    assert holder_at_dfire(dfire, coupon) == holder.openid
    assert coupon.delivery == Delivery.DELIVERED
    assert dfire.totals()["delivered_twice"] == 0
    assert not OutboxRow.objects.filter(state__in=[RowState.QUEUED, RowState.WAITING, RowState.SENDING]).exists()


def test_the_receiver_is_shown_at_once_and_the_delivery_says_how_far_it_is(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    give(coupon, receiver)
    assert (coupon.customer, coupon.delivery) == (receiver, Delivery.QUEUED)
    drain_through()
    is_with(coupon, receiver, dfire)
    assert moves(dfire) == [WITHDRAW, DELIVER]
    assert events(coupon)[-3:] == ["transferred", "withdrawn", "delivered"]


def test_an_account_that_names_dfires_own_transfer_uses_it(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    _names_the_method(coupon)
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)
    assert moves(dfire) == [TRANSFER]


@pytest.mark.parametrize("name", ["dfire.shop.delete.promotion", " DFIRE.shop.verify.promotion"])
def test_the_names_that_the_seed_misprints_are_never_sent(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, name: str
) -> None:
    _names_the_method(coupon, name)
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)
    assert moves(dfire) == [WITHDRAW, DELIVER]


def test_nothing_is_taken_before_the_receiver_can_have_it(
    coupon: IssuedCoupon, template: CouponTemplate, dfire: Dfire
) -> None:
    receiver = CustomerFactory(merchant=template.merchant, openid="")
    give(coupon, receiver)
    engine.drain()
    coupon.refresh_from_db()
    row = row_of(coupon, RowKind.TRANSFER)
    assert (row.state, row.last_message, coupon.delivery) == (RowState.WAITING, OPENID_MISSING, Delivery.WAITING)
    assert moves(dfire) == []
    bind(receiver, openid="late-openid")
    drain_through()
    is_with(coupon, receiver, dfire)


@pytest.mark.parametrize("method", [WITHDRAW, DELIVER])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500", "http_500_after", "garbage_after", "busy"])
def test_whatever_fails_on_the_way_it_arrives_once(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, method: str, fault: str
) -> None:
    dfire.fault(method, fault)
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500", "garbage_after", "busy"])
def test_whatever_fails_with_dfires_own_transfer_it_arrives_once(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, fault: str
) -> None:
    _names_the_method(coupon)
    dfire.fault(TRANSFER, fault)
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)


@pytest.mark.parametrize("step", [WITHDRAW, DELIVER])
def test_a_worker_that_dies_on_the_way_is_followed_by_one_that_asks_first(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, step: str
) -> None:
    from integrations.outbox.calling import perform
    from integrations.outbox.claiming import claim
    from integrations.outbox.settling import settle

    give(coupon, receiver)
    account = coupon.merchant.dfire_account_id or 0
    job = claim(account, 1).jobs[0]
    if step == DELIVER:
        settle(job, perform(job))
        job = claim(account, 1).jobs[0]
    assert job.call.method == step
    perform(job)  # dfire has done it, and nobody here writes it down
    leases_run_out()
    drain_through()
    is_with(coupon, receiver, dfire)
    assert moves(dfire).count(step) == 1


def test_a_receiver_whom_dfire_refuses_leaves_it_with_the_giver(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    giver = coupon.customer
    dfire.fault(DELIVER, "refuse", message="not this one")
    give(coupon, receiver)
    drain_through()
    is_with(coupon, giver, dfire)
    assert coupon.flag == "transfer_refused"
    assert moves(dfire) == [WITHDRAW, DELIVER, DELIVER]
    assert [kind for kind in events(coupon) if "transfer" in kind] == ["transferred", "transfer_failed"]


def test_refused_by_both_it_is_set_aside_for_staff_who_can_send_it_again(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    giver = coupon.customer
    dfire.fault(DELIVER, "refuse", times=2, message="no")
    give(coupon, receiver)
    drain_through()
    coupon.refresh_from_db()
    assert (row_of(coupon, RowKind.TRANSFER).state, coupon.delivery) == (RowState.DEAD, Delivery.FAILED)
    with transaction.atomic():
        lifecycle.resend(lifecycle.lock([coupon.pk])[0])
    drain_through()
    is_with(coupon, giver, dfire)


def test_a_giver_from_whom_dfire_does_not_take_it_keeps_it(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    giver = coupon.customer
    dfire.fault(WITHDRAW, "refuse", times=None, message="not today")
    give(coupon, receiver)
    drain_through()
    is_with(coupon, giver, dfire)
    assert (coupon.flag, moves(dfire)) == ("transfer_refused", [WITHDRAW, ASK_CUSTOMER])


@pytest.mark.parametrize("native", [False, True])
def test_a_till_that_was_faster_wins_and_the_giver_has_spent_it(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, native: bool
) -> None:
    if native:
        _names_the_method(coupon)
    giver = coupon.customer
    dfire.redeem(coupon.code)  # and its callback is still under way
    give(coupon, receiver)
    drain_through()
    is_with(coupon, giver, dfire)
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_before_transfer")


def test_a_callback_before_anything_was_taken_stops_the_transfer(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    giver = coupon.customer
    give(coupon, receiver)
    dfire.redeem(coupon.code)
    redeemed(coupon)
    drain_through()
    is_with(coupon, giver, dfire)
    assert moves(dfire) == []


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_till_that_was_faster_wins_though_the_giver_has_another_openid_by_now(
    coupon: IssuedCoupon, receiver: Customer, template: CouponTemplate, dfire: Dfire, taken_over: bool
) -> None:
    giver, before = coupon.customer, coupon.customer.openid
    bind(giver, openid="another-phone")
    if taken_over:
        bind(CustomerFactory(merchant=template.merchant), openid=before)
    give(coupon, receiver)
    dfire.redeem(coupon.code)
    redeemed(coupon)
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.customer, holder_at_dfire(dfire, coupon)) == (giver, before)


def test_a_callback_behind_an_uncertain_delivery_finds_the_giver_who_has_spent_it(
    template: CouponTemplate, receiver: Customer, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    giver = coupon.customer
    engine.drain()
    give(coupon, receiver)
    dfire.redeem(coupon.code)
    redeemed(coupon)
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.customer, holder_at_dfire(dfire, coupon)) == (giver, giver.openid)
    assert coupon.flag == "redeemed_before_transfer"


def test_a_till_faster_than_the_revoke_of_a_coupon_that_was_given_on_leaves_it_with_the_giver(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    giver = coupon.customer
    dfire.redeem(coupon.code)
    give(coupon, receiver)
    revoke(coupon)
    drain_through()
    is_with(coupon, giver, dfire)
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_revoked")


def test_spent_by_a_receiver_who_had_given_it_on_it_is_that_receivers(
    coupon: IssuedCoupon, receiver: Customer, template: CouponTemplate, dfire: Dfire
) -> None:
    from integrations.outbox.calling import perform
    from integrations.outbox.claiming import claim
    from integrations.outbox.settling import settle

    give(coupon, receiver)
    _one_call(coupon)
    job = claim(coupon.merchant.dfire_account_id or 0, 1).jobs[0]
    outcome = perform(job)
    give(coupon, CustomerFactory(merchant=template.merchant))
    dfire.redeem(coupon.code)
    redeemed(coupon)
    settle(job, outcome)
    drain_through()
    is_with(coupon, receiver, dfire)


@pytest.mark.parametrize("native", [False, True])
def test_a_callback_while_a_call_is_under_way_that_dfire_turns_away_leaves_it_with_the_giver(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, native: bool
) -> None:
    from integrations.outbox.calling import perform
    from integrations.outbox.claiming import claim
    from integrations.outbox.settling import settle

    if native:
        _names_the_method(coupon)
    giver = coupon.customer
    dfire.fault(TRANSFER if native else WITHDRAW, "busy")
    give(coupon, receiver)
    (job,) = claim(coupon.merchant.dfire_account_id or 0, 1).jobs
    dfire.redeem(coupon.code)
    redeemed(coupon)
    settle(job, perform(job))
    drain_through()
    is_with(coupon, giver, dfire)


def test_a_callback_after_the_receiver_got_it_is_the_receivers(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "drop_after")
    give(coupon, receiver)
    engine.drain()
    dfire.redeem(coupon.code)
    redeemed(coupon)
    drain_through()
    assert (coupon.customer, holder_at_dfire(dfire, coupon)) == (receiver, receiver.openid)
    assert (coupon.status, coupon.delivery) == (CouponStatus.REDEEMED, Delivery.DELIVERED)


def test_a_callback_while_dfires_own_transfer_is_uncertain_has_dfire_asked_whose_it_was(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire
) -> None:
    _names_the_method(coupon)
    dfire.fault(TRANSFER, "drop_after")
    give(coupon, receiver)
    engine.drain()
    dfire.redeem(coupon.code)
    redeemed(coupon)
    drain_through()
    is_with(coupon, receiver, dfire)
    assert coupon.flag == ""


@pytest.mark.parametrize("reached", [0, 1, 2])
def test_a_revoke_in_the_middle_leaves_it_with_nobody(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, reached: int
) -> None:
    give(coupon, receiver)
    for _ in range(reached):
        _one_call(coupon)
    revoke(coupon)
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.status, holder_at_dfire(dfire, coupon)) == (CouponStatus.REVOKED, "")
    assert not OutboxRow.objects.filter(state__in=[RowState.QUEUED, RowState.WAITING, RowState.DEAD]).exists()


@pytest.mark.parametrize(("method", "fault"), [(WITHDRAW, "drop_before"), (DELIVER, "drop_after")])
def test_a_revoke_behind_an_uncertain_step_leaves_it_with_nobody(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, method: str, fault: str
) -> None:
    dfire.fault(method, fault)
    give(coupon, receiver)
    engine.drain()
    assert row_of(coupon, RowKind.TRANSFER).phase == Phase.ASK
    revoke(coupon)
    drain_through()
    assert holder_at_dfire(dfire, coupon) == ""


def test_a_revoke_while_the_receiver_is_waited_for_is_not_held_up(
    coupon: IssuedCoupon, template: CouponTemplate, dfire: Dfire
) -> None:
    give(coupon, CustomerFactory(merchant=template.merchant, openid=""))
    engine.drain()
    revoke(coupon)
    drain_through()
    assert row_of(coupon, RowKind.TRANSFER).state == RowState.CANCELLED
    assert holder_at_dfire(dfire, coupon) == ""


def test_what_dfire_never_heard_of_goes_straight_to_the_receiver(
    template: CouponTemplate, receiver: Customer, dfire: Dfire
) -> None:
    coupon = one_coupon(template, openid="")
    engine.drain()
    assert row_of(coupon).state == RowState.WAITING
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)
    assert [method for method in dfire.methods() if method != SAVE] == [DELIVER]


@pytest.mark.parametrize(("fault", "deliveries"), [("drop_after", 2), ("drop_before", 2)])
def test_a_transfer_behind_an_uncertain_delivery_waits_for_it(
    template: CouponTemplate, receiver: Customer, dfire: Dfire, fault: str, deliveries: int
) -> None:
    dfire.fault(DELIVER, fault)
    coupon = one_coupon(template)
    engine.drain()
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)
    assert len(dfire.calls(DELIVER)) == deliveries


def test_a_delivery_that_failed_for_the_giver_is_sent_to_the_receiver(
    template: CouponTemplate, receiver: Customer, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "refuse")
    coupon = one_coupon(template)
    engine.drain()
    give(coupon, receiver)
    drain_through()
    is_with(coupon, receiver, dfire)


@pytest.mark.parametrize("reached", [0, 1, 2])
def test_given_on_again_before_it_arrived_it_follows_to_the_last(
    coupon: IssuedCoupon, receiver: Customer, template: CouponTemplate, dfire: Dfire, reached: int
) -> None:
    last = CustomerFactory(merchant=template.merchant)
    give(coupon, receiver)
    for _ in range(reached):
        _one_call(coupon)
    give(coupon, last)
    drain_through()
    is_with(coupon, last, dfire)


def test_given_on_while_the_receivers_delivery_is_uncertain_it_follows_to_the_last(
    coupon: IssuedCoupon, receiver: Customer, template: CouponTemplate, dfire: Dfire
) -> None:
    last = CustomerFactory(merchant=template.merchant)
    dfire.fault(DELIVER, "drop_after")
    give(coupon, receiver)
    engine.drain()
    give(coupon, last)
    drain_through()
    is_with(coupon, last, dfire)


@pytest.mark.parametrize("reached", [0, 1])
def test_given_back_at_once_it_is_the_givers(
    coupon: IssuedCoupon, receiver: Customer, dfire: Dfire, reached: int
) -> None:
    giver = coupon.customer
    give(coupon, receiver)
    for _ in range(reached):
        _one_call(coupon)
    give(coupon, giver)
    drain_through()
    is_with(coupon, giver, dfire)


def test_moving_a_coupon_to_a_new_openid_of_its_holder_is_not_done_behind_anybodys_back(
    coupon: IssuedCoupon, dfire: Dfire
) -> None:
    before = coupon.customer.openid
    bind(coupon.customer, openid="another-phone")
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.delivered_openid, holder_at_dfire(dfire, coupon)) == (before, before)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (revoke, Reason.REVOKED),
        (redeemed, Reason.REDEEMED),
        (
            lambda coupon: IssuedCoupon.objects.filter(pk=coupon.pk).update(status=CouponStatus.REDEEMING),
            Reason.REDEEMING,
        ),
    ],
)
def test_what_cannot_be_spent_cannot_be_given(
    coupon: IssuedCoupon, receiver: Customer, spoil: Callable[[IssuedCoupon], object], reason: Reason
) -> None:
    spoil(coupon)
    holder = coupon.customer
    with pytest.raises(Refused) as refusal:
        give(coupon, receiver)
    coupon.refresh_from_db()
    assert (refusal.value.reason, coupon.customer) == (reason, holder)


def test_another_merchants_customer_cannot_have_it(coupon: IssuedCoupon) -> None:
    with pytest.raises(Refused) as refusal:
        give(coupon, CustomerFactory())
    assert refusal.value.reason == Reason.OTHER_MERCHANT


def test_giving_it_to_its_holder_says_nothing(coupon: IssuedCoupon, dfire: Dfire) -> None:
    give(coupon, coupon.customer)
    drain_through()
    assert (moves(dfire), events(coupon).count("transferred")) == ([], 0)


def _one_call(coupon: IssuedCoupon) -> None:
    """Exactly one call of the row that is next."""
    from integrations.outbox.calling import perform
    from integrations.outbox.claiming import claim
    from integrations.outbox.settling import settle

    for job in claim(coupon.merchant.dfire_account_id or 0, 1).jobs:
        settle(job, perform(job))


def _names_the_method(coupon: IssuedCoupon, name: str = TRANSFER) -> None:
    account = coupon.merchant.dfire_account
    assert account is not None
    account.transfer_method = name
    account.save()
    assert results(row_of(coupon)) == [("send", "ok")]
