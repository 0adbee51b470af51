"""`make chaos`: start everything, run a campaign, print its table."""

import argparse
import os
import random
import sys
import time

import django

from config.tooling.environment import LOGS
from tests.chaos.portal import ChaosPortal

OPERATIONS_A_SECOND = 30


def main(arguments: list[str]) -> int:
    """Run a campaign; the exit code is 0 if it was whole and nothing was lost, doubled or in disagreement."""
    options = _options(arguments)
    print(f"seed {options.seed}: {options.operations} operations, {options.breaks} kills and restarts", flush=True)
    began = time.monotonic()
    portal = ChaosPortal()
    os.environ.update(portal.environment, DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()
    from tests.chaos import course  # its models want settings, and the settings the servers that run now

    try:
        portal.up()
        plan = course.Plan(options.seed, options.operations, options.breaks, options.seconds)
        report = course.run(portal, plan, began=began)
        report.print()
        return 1 if report.failures() else 0
    finally:
        portal.save_logs(options.logs)
        print(f"The processes' logs are in {options.logs}.")
        portal.down()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=main.__doc__)
    parser.add_argument("--operations", type=int, default=10_000, help="how many must be accepted")
    parser.add_argument("--breaks", type=int, default=24, help="kills and restarts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, help=f"of load; by default {OPERATIONS_A_SECOND} operations a second")
    parser.add_argument("--logs", default=str(LOGS / "chaos"), help="the folder that gets the processes' logs")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or options.operations / OPERATIONS_A_SECOND
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
