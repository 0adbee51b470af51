"""Goes round the accounts until nothing is due: the calls of a round side by side, the database in one thread alone."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from integrations.consume import client, lanes
from integrations.consume.writing import reporting_accounts
from integrations.dfire.codes import ResultClass

logger = structlog.get_logger(__name__)
_MOST_AT_ONCE = 8


def drain() -> int:
    """Report what is due. Safe to run in many processes at once: a lane has one lease. Returns how many calls."""
    made = 0
    with ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="reports") as pool:
        while calls := _begin(pool):
            for job, call in calls:
                _settle(job, call)
            made += len(calls)
    return made


def _begin(pool: ThreadPoolExecutor) -> list[tuple[lanes.Job, "Future[client.Outcome]"]]:
    return [
        (job, pool.submit(client.report, job.where, job.codes, access_token=job.access_token))
        for account in reporting_accounts().order_by("pk")
        if (job := lanes.claim(account)) is not None
    ]


def _settle(job: lanes.Job, call: "Future[client.Outcome]") -> None:
    try:
        outcome = call.result()
    except Exception as error:  # a fault of ours: the lane pauses, and goes on
        logging.getLogger(__name__).exception("A report of account %s broke.", job.account_id)
        outcome = client.Outcome(ResultClass.UNCERTAIN, message=type(error).__name__, answered=False)
    lanes.settle(job, outcome)
    logger.info(
        "consume_report",
        account_id=job.account_id,
        coupons=len(job.ids),
        result=outcome.result.value,
        code=outcome.code,
    )
