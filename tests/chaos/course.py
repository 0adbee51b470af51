"""The course of a campaign: people come, work while things break, everything comes to rest, and is compared."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests
from django.db import connection
from django.db.models import Q

from coupons.choices import CouponStatus, EventKind
from coupons.models import CouponEvent, IssuedCoupon
from integrations.sandbox.config import DEFAULT_TRANSFER_METHOD
from merchants import customers
from merchants.models import Customer, DfireAccount, Merchant
from tests.chaos.breaking import Breaker
from tests.chaos.driver import CUSTOMERS, DRIVERS, OPERATIONS, TEMPLATES, UNBOUND, Driver, Shift
from tests.chaos.faults import fault_rules
from tests.chaos.ledgers import compare, unsettled
from tests.chaos.portal import ChaosPortal
from tests.chaos.promises import Promises
from tests.chaos.table import Report
from tests.chaos.till import Courier

QUIET_SECONDS = 300
ANY_MOBILE = "13700000000"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is intended; `seconds` of load. An odd seed has coupons change hands by dfire's own call."""

    seed: int
    operations: int
    breaks: int
    seconds: float


def run(portal: ChaosPortal, plan: Plan, *, began: float) -> Report:
    """Run a campaign on a portal that is up since `began` (monotonic)."""
    promises = Promises()
    courier = Courier(portal, promises)
    drivers = [Driver(portal, promises, courier, seed=plan.seed, number=number) for number in range(DRIVERS)]
    shifts = _prepare(drivers, promises, plan)
    portal.control("faults", {"seed": plan.seed, "rules": fault_rules()})
    breaker = Breaker(portal, plan.seed, breaks=plan.breaks, every_seconds=plan.seconds / (plan.breaks + 1))
    started = time.monotonic()
    print(f"started in {started - began:.0f} s", flush=True)
    breaker.start()
    errors = _work(drivers, shifts)
    breaker.join()
    worked = time.monotonic()
    print(f"worked for {worked - started:.0f} s, waiting for quiet", flush=True)
    calls, fired = _faulted(portal)
    connection.close()  # it may have been broken meanwhile, like everyone's
    _give_everyone_what_they_lack(promises)
    quiet = _wait_for_quiet(portal, courier)
    ledger = _get(portal, "ledger?limit=1000000")
    errors += [*courier.errors, *([breaker.error] if breaker.error else [])]
    return Report(
        planned_operations=plan.operations,
        planned_breaks=plan.breaks,
        counts=promises.counts,
        kinds=list(OPERATIONS),
        native_transfers=_transfers_natively(plan),
        calls=calls,
        fired=fired,
        breaks=breaker.done,
        starting=started - began,
        load=worked - started,
        quiet=quiet,
        before_our_record=_before_our_record(),
        deadlocks=_deadlocks(),
        verdict=compare(promises, ledger["coupons"], ledger["totals"]),
        errors=[repr(error) for error in errors],
    )


def _transfers_natively(plan: Plan) -> bool:
    return plan.seed % 2 == 1


def _prepare(drivers: list[Driver], promises: Promises, plan: Plan) -> list[Shift]:
    """Have customers, templates and an administrator, and share the work among the drivers."""
    _customers(promises)
    DfireAccount.objects.update(transfer_method=DEFAULT_TRANSFER_METHOD if _transfers_natively(plan) else "")
    coupon_ids = [drivers[0].create(f"混沌{number}") for number in range(TEMPLATES)]
    drivers[0].admin.sign_in()
    for driver in drivers[1:]:
        driver.admin.take_over(drivers[0].admin)
    each, more = divmod(plan.operations, len(drivers))
    return [Shift(coupon_ids, each + (number < more), plan.seconds) for number in range(len(drivers))]


def _customers(promises: Promises) -> None:
    merchant = Merchant.objects.get(merchant_id="88")
    for number in range(CUSTOMERS):
        identifier, openid = f"139{number:08d}", f"o-{number}" if number >= UNBOUND else ""
        if openid:
            promises.bound(openid, identifier)
        Customer.objects.create(merchant=merchant, identifier=identifier, mobile=identifier, openid=openid)


def _work(drivers: list[Driver], shifts: list[Shift]) -> list[BaseException]:
    """Let the drivers work side by side, and return what they stumbled over."""
    errors: list[BaseException] = []

    def work(driver: Driver, shift: Shift) -> None:
        try:
            driver.work(shift)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in zip(drivers, shifts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _give_everyone_what_they_lack(promises: Promises) -> None:
    """Bind whoever could not be delivered to so far, so that in the end nothing may wait any more."""
    for customer in Customer.objects.filter(Q(openid="") | Q(mobile="")):
        openid = customer.openid or f"o-late-{customer.pk}"
        promises.bound(openid, customer.identifier)
        customers.bind(customer, openid=openid, mobile=customer.mobile or ANY_MOBILE)


def _get(portal: ChaosPortal, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{portal.sandbox_url}/control/{path}", timeout=60).json()
    return answer


def _faulted(portal: ChaosPortal) -> tuple[int, Counter[str]]:
    """The calls so far and the faults among them by kind; from here on dfire behaves."""
    fired: Counter[str] = Counter()
    for rule in _get(portal, "faults")["rules"]:
        fired[rule["fault"]] += rule["fired"]
    requests.delete(f"{portal.sandbox_url}/control/faults", timeout=10)
    return sum(account["total"] for account in _get(portal, "limits")["accounts"].values()), fired


def _wait_for_quiet(portal: ChaosPortal, courier: Courier) -> float | None:
    """Seconds until nothing was on its way any more, or None."""
    began = time.monotonic()
    while time.monotonic() - began < QUIET_SECONDS:
        callbacks = sum(not row["accepted"] for row in _get(portal, "callbacks?limit=1000000")["callbacks"])
        left = {**unsettled(), "callbacks of the sandbox": callbacks, "callbacks of the courier": courier.open}
        if not any(left.values()):
            return time.monotonic() - began
        time.sleep(1)
    print(f"no quiet within {QUIET_SECONDS} s: {left}")
    return None


def _before_our_record() -> int:
    """How many redemptions came in while we did not know yet that dfire had the coupon."""
    known = CouponEvent.objects.filter(kind=EventKind.DELIVERED).values("coupon")
    return IssuedCoupon.objects.filter(status=CouponStatus.REDEEMED).exclude(pk__in=known).count()


def _deadlocks() -> int:
    """How often PostgreSQL had to break one, since its last crash: a lock taken out of order somewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
