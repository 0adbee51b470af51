"""How an erasure goes to its end: coupons revoked, withdrawn at dfire, every trace blanked, then the names forgotten.

Each step may be done again, so an erasure that was cut off anywhere goes on with the next sweep. dfire holds coupons
under the customer's openid: as long as a withdrawal is open, the record of that openid is still needed.
"""

import logging
from dataclasses import dataclass

from coupons import erasing as coupons_erasing
from integrations.models.outbox import UNSETTLED, RowState
from integrations.retention import passed_on, traces
from merchants import erasing
from merchants.models import Erasure

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What an erasure still waits for, in coupons: to be revoked, being redeemed, being withdrawn at dfire, those whose
    withdrawal failed and waits for staff, and those given on that dfire holds under the old openid yet."""

    usable: int
    redeeming: int
    withdrawals: int
    failed: int
    given_on: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is open, so that the traces can go."""
        return not (self.usable or self.redeeming or self.withdrawals or self.failed or self.given_on)


def progress(erasure: Erasure) -> Progress:
    """How far an erasure is. Reads only."""
    held = coupons_erasing.holdings(erasure.customer)
    rows = traces.open_rows(traces.coupons_of(erasure))
    on_its_way = set(rows.filter(state__in=UNSETTLED).values_list("coupon", flat=True))
    failed = set(rows.filter(state=RowState.DEAD).values_list("coupon", flat=True)) - on_its_way
    given_on = passed_on.still_needed(erasure, erasure.names_left())
    return Progress(held.usable, held.redeeming, len(on_its_way), len(failed), given_on)


def advance(erasure: Erasure) -> bool:
    """Take an erasure as far as it can go now. Call it outside of a transaction; twice at once does no harm.

    Returns:
        Whether it is finished.
    """
    coupons_erasing.take_back(erasure)
    if not progress(erasure).settled:
        return False
    names = traces.names_of(erasure)  # first, because blanking the coupons loses the names that dfire was told
    traces.forget_pushes(erasure, names)
    traces.forget_callbacks(names)
    traces.forget_findings(erasure, names)
    traces.forget_log(erasure, names)
    traces.forget_api_answers(names)
    traces.forget_api_calls(erasure.customer.merchant_id, names)
    traces.forget_batch_rows(erasure, names)
    traces.forget_file_rows(erasure, names)
    for coupon_id in list(traces.coupons_of(erasure).order_by("pk").values_list("pk", flat=True)):
        if not traces.forget_coupon(coupon_id):
            return False
    for coupon_id in list(coupons_erasing.passed_on(erasure.customer_id).values_list("pk", flat=True)):
        if not passed_on.forget(coupon_id, names):
            return False
    erasing.finish(erasure)
    logger.info("Customer %s has been erased.", erasure.customer_id)
    return True


def advance_all() -> int:
    """Take every open erasure on. One that breaks does not stop the others.

    Returns:
        How many were finished.
    """
    finished = 0
    for erasure in erasing.unfinished():
        try:
            finished += advance(erasure)
        except Exception:
            logger.exception("The erasure of customer %s could not go on.", erasure.customer_id)
    return finished
