"""A batch whose worker is killed while it issues goes on with the next one: everybody gets one, nobody two."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.e2e.portal import Portal, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

MANY = 4000
_BEGIN = f"""
from django.utils import timezone
from coupons import batches, templates
from coupons.choices import Kind
from coupons.models import CouponTemplate
from merchants.clock import local_day
from merchants.models import Merchant
today = local_day(timezone.now())
template = CouponTemplate.objects.create(
    merchant=Merchant.objects.create(merchant_id="many", name="many"), title="many", kind=Kind.CASH, amount_fen=100,
    start_date=today, end_date=today,
)
templates.publish(template)
print(batches.begin_issue(template, "\\n".join(f"many-{{n}}" for n in range({MANY}))).pk)
"""
_START = "from coupons import batches; from coupons.models import Batch; batches.start(Batch.objects.get(pk={}))"
_FOUND = """
SELECT state, done, (SELECT count(*) FROM coupons_issuedcoupon WHERE batch_id = batch.id),
    (SELECT count(DISTINCT customer_id) FROM coupons_issuedcoupon WHERE batch_id = batch.id)
FROM coupons_batch AS batch
"""


@pytest.fixture
def workers() -> Iterator[Portal]:
    """A database of its own with a worker and the clock: other tests' coupons are not in the way."""
    portal = Portal()
    try:
        portal.manage("migrate", "--verbosity", "0")
        portal.start("worker")
        portal.start("beat")
        yield portal
    finally:
        portal.down()


def test_a_killed_worker_gives_nobody_two_and_passes_nobody_over(workers: Portal) -> None:
    def shell(code: str) -> str:
        return workers.manage("shell", "-v", "0", "-c", code).strip()

    def found() -> tuple[str, int, int, int]:
        """The batch's state and its own count, its coupons and their customers."""
        with psycopg.connect(workers.environment["DATABASE_URL"]) as connection:
            state, done, coupons, customers = connection.execute(_FOUND).fetchall()[0]
            return state, done, coupons, customers

    batch = shell(_BEGIN).splitlines()[-1]
    until(lambda: found()[0] == "ready", seconds=60)
    shell(_START.format(batch))
    until(lambda: found()[1] > 0, seconds=60)
    workers.kill("worker")
    state, done, coupons, customers = found()
    assert state == "running"
    assert 0 < done == coupons == customers < MANY, "killed in the middle, and the slice at hand has not happened"
    workers.start("worker")
    until(lambda: found()[0] == "done", seconds=120)
    assert found() == ("done", MANY, MANY, MANY)
