"""Reading rows, and moving the clock by moving what rows wait for."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from coupons import lifecycle
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import AccountState, OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine
from merchants.models import DfireAccount
from tests.factories import CustomerFactory, issued


def one_coupon(template: CouponTemplate, **customer: Any) -> IssuedCoupon:
    """A coupon of a new customer."""
    return issued(template, CustomerFactory(merchant=template.merchant, **customer))


def row_of(coupon: IssuedCoupon, kind: str = RowKind.DELIVER) -> OutboxRow:
    """The coupon's newest row of this kind."""
    return OutboxRow.objects.filter(coupon=coupon, kind=kind).latest("id")


def results(row: OutboxRow) -> list[tuple[str, str]]:
    """Purpose and result of each attempt, in order."""
    return list(row.attempts.values_list("phase", "result"))


def time_passes() -> None:
    """Whatever is queued for later is due now."""
    OutboxRow.objects.filter(state=RowState.QUEUED).update(available_at=timezone.now() - timedelta(seconds=1))


def leases_run_out() -> None:
    """The workers that hold rows are taken for dead."""
    OutboxRow.objects.filter(state=RowState.SENDING).update(lease_until=timezone.now() - timedelta(seconds=1))
    engine._engine.recovered_at = float("-inf")


def drain_through(rounds: int = 10) -> None:
    """Drain until nothing is queued any more, whatever it waited for."""
    for _ in range(rounds):
        time_passes()
        engine.drain()
        if not OutboxRow.objects.filter(state__in=[RowState.QUEUED, RowState.SENDING]).exists():
            return
    raise AssertionError(list(OutboxRow.objects.filter(state__in=[RowState.QUEUED, RowState.SENDING]).values()))


def state_of(account: DfireAccount) -> AccountState:
    """How it goes with the account."""
    return AccountState.objects.get(account=account)


def revoke(coupon: IssuedCoupon) -> None:
    """Revoke it as staff would."""
    from django.db import transaction

    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="test", actor="staff:test")
    coupon.refresh_from_db()


def events(coupon: IssuedCoupon) -> list[str]:
    """The coupon's history."""
    return list(coupon.events.values_list("kind", flat=True))


def copy_of(coupon: IssuedCoupon, copies: int) -> None:
    """A bulk issue, written straight into the tables: so many more coupons like this one, with their deliveries."""
    coupon_columns = [f.column for f in IssuedCoupon._meta.concrete_fields if f.name not in ("id", "code")]
    row_columns = [f.column for f in OutboxRow._meta.concrete_fields if f.name not in ("id", "coupon")]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO coupons_issuedcoupon (code, {', '.join(coupon_columns)})"
            f" SELECT to_char(%s::bigint * 1000000 + n, 'FM0000000000000000'), {', '.join(coupon_columns)}"
            " FROM coupons_issuedcoupon, generate_series(1, %s) AS n WHERE id = %s",
            [coupon.pk, copies, coupon.pk],
        )
        cursor.execute(
            f"INSERT INTO integrations_outboxrow (coupon_id, {', '.join(row_columns)})"
            f" SELECT coupon.id, {', '.join('o.' + name for name in row_columns)}"
            " FROM integrations_outboxrow AS o, coupons_issuedcoupon AS coupon"
            " WHERE o.coupon_id = %s AND coupon.customer_id = %s AND coupon.id <> %s ORDER BY coupon.id",
            [coupon.pk, coupon.customer_id, coupon.pk],
        )


def nobody_else() -> None:
    """End the connections that threads of other tests have left open, as one stops the portal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
