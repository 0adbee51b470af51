"""A campaign: start everything, work and break, wait for quiet, compare, print the table."""

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter

import django
import requests
from django.db import connection

from tests.e2e.portal import Portal

DRIVERS = 8
QUIET_SECONDS = 300


def main(arguments: list[str]) -> int:
    """Run a campaign; the exit code is 0 if nothing was lost, doubled or in disagreement."""
    options = _options(arguments)
    print(f"seed {options.seed}: {options.operations} operations, {options.breaks} kills and restarts", flush=True)
    portal = Portal()
    portal.environment["HOOK_RATE_LIMIT"] = "0"
    os.environ.update(portal.environment, DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()
    try:
        portal.up()
        portal.start("worker2")
        return _campaign(portal, options)
    finally:
        if options.keep_logs:
            portal.save_logs(options.keep_logs)
        portal.down()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=main.__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--breaks", type=int, default=24, help="kills and restarts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, default=280, help="about how long the load lasts")
    parser.add_argument("--keep-logs", default="", help="a folder for the processes' logs")
    return parser.parse_args(arguments)


def _campaign(portal: Portal, options: argparse.Namespace) -> int:
    from tests.chaos.breaking import Breaker, fault_rules
    from tests.chaos.driver import CUSTOMERS, TEMPLATES, UNBOUND, Driver, Promises
    from tests.chaos.ledgers import compare, unsettled

    _customers(CUSTOMERS, UNBOUND)
    promises = Promises()
    drivers = [Driver(portal, promises, options.seed, number) for number in range(DRIVERS)]
    coupon_ids = [drivers[0].create(f"混沌{number}") for number in range(TEMPLATES)]
    portal.control("faults", {"seed": options.seed, "rules": fault_rules()})
    breaker = Breaker(portal, options.seed, breaks=options.breaks, every_seconds=options.seconds / (options.breaks + 1))
    began = time.monotonic()
    breaker.start()
    each = options.operations // DRIVERS
    work = [(coupon_ids, each, options.seconds / each) for _ in drivers]
    errors: list[BaseException] = []

    def drive(driver: Driver, what: tuple[list[str], int, float]) -> None:
        try:
            driver.run(*what)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=drive, args=pair) for pair in zip(drivers, work, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    breaker.join()
    worked = time.monotonic() - began
    fired = Counter({rule["fault"]: rule["fired"] for rule in _get(portal, "faults")["rules"]})
    calls = sum(account["total"] for account in _get(portal, "limits")["accounts"].values())
    requests.delete(f"{portal.sandbox_url}/control/faults", timeout=10)
    connection.close()  # it may have been broken meanwhile, like everyone's
    _give_everyone_an_openid()
    quiet = _wait_for_quiet(portal, unsettled)
    ledger = _get(portal, "ledger?limit=1000000")
    verdict = compare(promises, {coupon["code"]: coupon for coupon in ledger["coupons"]}, ledger["totals"])
    _print(promises.counts, fired, calls, breaker.done, verdict, worked, quiet)
    for error in errors:
        print(f"driver failed: {error!r}")
    for line in [*verdict.lost[:20], *verdict.doubled[:20], *verdict.disagreeing[:20]]:
        print("  " + line)
    return 0 if verdict.clean and not errors and breaker.error is None and quiet is not None else 1


def _customers(count: int, unbound: int) -> None:
    from merchants.models import Customer, Merchant

    merchant = Merchant.objects.get(merchant_id="88")
    Customer.objects.bulk_create(
        Customer(
            merchant=merchant,
            identifier=f"139{number:08d}",
            mobile=f"139{number:08d}",
            openid="" if number < unbound else f"o-{number}",
        )
        for number in range(count)
    )


def _give_everyone_an_openid() -> None:
    from merchants import customers
    from merchants.models import Customer

    for customer in Customer.objects.filter(openid=""):
        customers.bind(customer, openid=f"o-late-{customer.pk}")


def _get(portal: Portal, path: str) -> dict:  # type: ignore[type-arg]
    answer: dict = requests.get(f"{portal.sandbox_url}/control/{path}", timeout=60).json()  # type: ignore[type-arg]
    return answer


def _wait_for_quiet(portal: Portal, unsettled) -> float | None:  # type: ignore[no-untyped-def]
    """Seconds until nothing was on its way any more, or None."""
    began = time.monotonic()
    while time.monotonic() - began < QUIET_SECONDS:
        callbacks = [row for row in _get(portal, "callbacks?limit=1000000")["callbacks"] if not row["accepted"]]
        left = unsettled()
        if not callbacks and not any(left.values()):
            return time.monotonic() - began
        time.sleep(1)
    print(f"no quiet within {QUIET_SECONDS} s: {left}, {len(callbacks)} callbacks not accepted")
    return None


def _print(counts, fired, calls, breaks, verdict, worked, quiet) -> None:  # type: ignore[no-untyped-def]
    share = 100 * sum(fired.values()) / max(1, calls)
    rows = [
        ("operations", counts["operations"]),
        *sorted((f"  {name}", number) for name, number in counts.items() if name != "operations"),
        ("calls to dfire", calls),
        (f"faulted ({share:.0f} %)", sum(fired.values())),
        *((f"  {name}", number) for name, number in sorted(fired.items())),
        ("kills and restarts", sum(breaks.values())),
        *((f"  {name}", number) for name, number in sorted(breaks.items())),
        ("seconds of load", round(worked)),
        ("seconds to quiet", "-" if quiet is None else round(quiet)),
        ("lost", len(verdict.lost)),
        ("doubled", len(verdict.doubled)),
        ("in disagreement", len(verdict.disagreeing)),
    ]
    for name, number in rows:
        print(f"{name:<36}{number:>10}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
