"""A campaign: start everything, work and break, wait for quiet, compare, print the table."""

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import django
import requests
from django.db import DatabaseError, connection

from tests.chaos.portal import ChaosPortal

if TYPE_CHECKING:
    from tests.chaos.promises import Promises
    from tests.chaos.table import Report

DRIVERS = 16
OPERATIONS_A_SECOND = 30
QUIET_SECONDS = 300


def main(arguments: list[str]) -> int:
    """Run a campaign; the exit code is 0 if it was whole and nothing was lost, doubled or in disagreement."""
    options = _options(arguments)
    print(f"seed {options.seed}: {options.operations} operations, {options.breaks} kills and restarts", flush=True)
    began = time.monotonic()
    portal = ChaosPortal()
    os.environ.update(portal.environment, DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()
    try:
        portal.up()
        report = _campaign(portal, options, began)
    finally:
        if options.keep_logs:
            portal.save_logs(options.keep_logs)
        portal.down()
    report.print()
    return 1 if report.failures() else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=main.__doc__)
    parser.add_argument("--operations", type=int, default=10_000, help="how many must be accepted")
    parser.add_argument("--breaks", type=int, default=24, help="kills and restarts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument(
        "--seconds", type=float, help="about how long the load lasts; by default 30 operations a second"
    )
    parser.add_argument("--keep-logs", default="", help="a folder for the processes' logs")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or options.operations / OPERATIONS_A_SECOND
    return options


def _campaign(portal: ChaosPortal, options: argparse.Namespace, began: float) -> "Report":
    from tests.chaos.breaking import Breaker
    from tests.chaos.driver import OPERATIONS, TEMPLATES, Driver, Plan
    from tests.chaos.faults import fault_rules
    from tests.chaos.ledgers import compare
    from tests.chaos.promises import Promises
    from tests.chaos.table import Report
    from tests.chaos.till import Courier

    promises = Promises()
    _customers(promises)
    courier = Courier(portal, promises)
    drivers = [Driver(portal, promises, courier, seed=options.seed, number=number) for number in range(DRIVERS)]
    coupon_ids = [drivers[0].create(f"混沌{number}") for number in range(TEMPLATES)]
    for driver in drivers:
        driver.admin.sign_in()
    portal.control("faults", {"seed": options.seed, "rules": fault_rules()})
    breaker = Breaker(portal, options.seed, breaks=options.breaks, every_seconds=options.seconds / (options.breaks + 1))
    started = time.monotonic()
    breaker.start()
    shares = [options.operations // DRIVERS + (number < options.operations % DRIVERS) for number in range(DRIVERS)]
    errors = _drive(
        [(driver, Plan(coupon_ids, share, options.seconds)) for driver, share in zip(drivers, shares, strict=True)]
    )
    breaker.join()
    worked = time.monotonic()
    calls, fired = _faulted(portal)
    connection.close()  # it may have been broken meanwhile, like everyone's
    _give_everyone_what_they_lack(promises)
    quiet = _wait_for_quiet(portal, courier)
    ledger = _get(portal, "ledger?limit=1000000")
    problems = [*errors, *courier.errors, *([breaker.error] if breaker.error else [])]
    return Report(
        planned_operations=options.operations,
        planned_breaks=options.breaks,
        counts=promises.counts,
        kinds=list(OPERATIONS),
        calls=calls,
        fired=fired,
        breaks=breaker.done,
        starting=started - began,
        load=worked - started,
        quiet=quiet,
        before_our_record=_before_our_record(),
        deadlocks=_deadlocks(),
        verdict=compare(promises, ledger["coupons"], ledger["totals"]),
        errors=[repr(problem) for problem in problems],
    )


def _drive(work: "list[tuple[Any, Any]]") -> list[BaseException]:
    """Let every driver follow its plan, side by side, and return what they stumbled over."""
    errors: list[BaseException] = []

    def drive(driver: Any, plan: Any) -> None:
        try:
            driver.run(plan)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=drive, args=pair) for pair in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _customers(promises: "Promises") -> None:
    from merchants.models import Customer, Merchant
    from tests.chaos.driver import CUSTOMERS, UNBOUND

    merchant = Merchant.objects.get(merchant_id="88")
    for number in range(CUSTOMERS):
        identifier, openid = f"139{number:08d}", f"o-{number}"
        if number >= UNBOUND:
            promises.bound(openid, identifier)
        Customer.objects.create(
            merchant=merchant, identifier=identifier, mobile=identifier, openid=openid if number >= UNBOUND else ""
        )


def _give_everyone_what_they_lack(promises: "Promises") -> None:
    """Bind whoever could not be delivered to so far, so that in the end nothing may wait any more."""
    from django.db.models import Q

    from merchants import customers
    from merchants.models import Customer

    for customer in Customer.objects.filter(Q(openid="") | Q(mobile="")):
        openid = customer.openid or f"o-late-{customer.pk}"
        promises.bound(openid, customer.identifier)
        customers.bind(customer, openid=openid, mobile=customer.mobile or "13700000000")


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


def _wait_for_quiet(portal: ChaosPortal, courier: Any) -> float | None:
    """Seconds until nothing was on its way any more, or None."""
    from tests.chaos.ledgers import unsettled

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
    from coupons.choices import CouponStatus, EventKind
    from coupons.models import CouponEvent, IssuedCoupon

    known = CouponEvent.objects.filter(kind=EventKind.DELIVERED).values("coupon")
    return IssuedCoupon.objects.filter(status=CouponStatus.REDEEMED).exclude(pk__in=known).count()


def _deadlocks() -> int:
    """How often PostgreSQL had to break one, since its last crash: a lock taken out of order somewhere."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            return int(cursor.fetchone()[0])
    except DatabaseError:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
