"""Entering the customers of a checked file, and binding those who are known, slice by slice.

A slice locks what it will let go: customers first, then their coupons, each in the order of ids, as whoever else locks
several does. Its rows are judged anew, because others have entered and bound customers since the check; what is done
leaves the file with the transaction that does it, so nothing is done twice, and a slice that breaks off has not
happened.
"""

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.binding import released_of
from coupons.choices import Delivery
from coupons.models import IssuedCoupon
from merchants import bindings
from merchants.bindings import JUDGED
from merchants.choices import FileState, Verdict
from merchants.inserting import array
from merchants.models import Customer, CustomerFile
from merchants.signals import customers_bound

SLICE = 10_000
CHANGES = 500  # customers of a slice who are bound: they and their coupons are locked meanwhile
_TRIES = 5

_NEXT = """
SELECT number, verdict FROM merchants_customerfilerow
WHERE file_id = %s AND number > %s AND verdict IN ('new', 'change') ORDER BY number LIMIT %s"""
_SAID = """(
    SELECT number, identifier, mobile, openid, coalesce(nullif(identifier, ''), mobile) AS name, '' AS why
    FROM merchants_customerfilerow
    WHERE file_id = {file:d} AND number > {after:d} AND number <= {last:d} AND verdict IN ('new', 'change')
)"""
_JUDGED = """
CREATE TEMPORARY TABLE judged (number integer, identifier text, mobile text, openid text, verdict text, why text,
    customer_id bigint, other integer) ON COMMIT DROP"""
_OTHERWISE = """
SELECT EXISTS (
    SELECT number, verdict, customer_id FROM judged
    EXCEPT
    SELECT number, verdict, customer_id FROM merchants_customerfilerow
    WHERE file_id = %s AND number > %s AND number <= %s
)"""
_ENTERED = """
WITH entered AS (
    INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)
    SELECT %s, name, CASE WHEN said <> '' THEN said WHEN name ~ '^1[0-9]{10}$' THEN name ELSE '' END, openid, %s
    FROM (
        SELECT coalesce(nullif(identifier, ''), mobile) COLLATE "C" AS name, max(mobile) AS said, max(openid) AS openid
        FROM judged WHERE verdict = 'new' GROUP BY 1 ORDER BY 1
    ) AS fresh
    RETURNING id, identifier
), logged AS (
    INSERT INTO django_admin_log
        (action_time, user_id, content_type_id, object_id, object_repr, action_flag, change_message)
    SELECT %s, %s, %s, id::text, CASE WHEN identifier ~ '^1[0-9]{10}$'
        THEN overlay(identifier PLACING '****' FROM 4 FOR 4) ELSE identifier END, %s, '[{"added": {}}]'
    FROM entered WHERE %s IS NOT NULL
)
SELECT count(*) FROM entered"""
_TO_CHANGE = "SELECT DISTINCT customer_id FROM judged WHERE verdict = 'change'"
_BOUND = """
WITH given AS (
    SELECT customer_id AS id, max(mobile) AS mobile, max(openid) AS openid FROM judged
    WHERE verdict = 'change' GROUP BY customer_id
), before AS (
    SELECT id, given.mobile NOT IN ('', known.mobile) AS mobile, given.openid NOT IN ('', known.openid) AS openid,
        CASE WHEN known.identifier ~ '^1[0-9]{10}$' THEN overlay(known.identifier PLACING '****' FROM 4 FOR 4)
            ELSE known.identifier END AS called
    FROM given JOIN merchants_customer AS known USING (id)
), changed AS (
    UPDATE merchants_customer AS known
    SET mobile = coalesce(nullif(given.mobile, ''), known.mobile),
        openid = coalesce(nullif(given.openid, ''), known.openid)
    FROM given WHERE known.id = given.id RETURNING known.id
), logged AS (
    INSERT INTO django_admin_log
        (action_time, user_id, content_type_id, object_id, object_repr, action_flag, change_message)
    SELECT %s, %s, %s, id::text, called, %s, json_build_array(json_build_object('changed', json_build_object(
        'fields', array_remove(ARRAY[CASE WHEN mobile THEN 'mobile' END, CASE WHEN openid THEN 'openid' END], NULL)
    )))::text
    FROM before WHERE %s IS NOT NULL
)
SELECT count(*) FROM changed"""
_REFUSED = """
UPDATE merchants_customerfilerow AS kept
SET verdict = 'bad', why = judged.why, other = judged.other, customer_id = judged.customer_id
FROM judged WHERE kept.file_id = %s AND kept.number = judged.number AND judged.verdict = 'bad'"""
_DONE = """
DELETE FROM merchants_customerfilerow
WHERE file_id = %s AND number > %s AND number <= %s AND verdict IN ('new', 'change')"""


def enter_slice(file: CustomerFile) -> None:
    """Do the next rows of a locked file; behind the last one it is done."""
    last = _last_of_slice(file)
    if last is None:
        file.state, file.finished_at = FileState.DONE, timezone.now()
        file.save(update_fields=["state", "finished_at"])
        return
    _one_at_a_time(file.merchant_id)
    _until_it_fits(file, last)
    file.position = last
    file.save(update_fields=["position", "created", "changed", "same", "refused", "released"])


def _last_of_slice(file: CustomerFile) -> int | None:
    """The number of the slice's last row: so many rows, and of those that change somebody fewer."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [file.pk, file.position, SLICE])
        rows = cursor.fetchall()
    changing = [number for number, verdict in rows if verdict == Verdict.CHANGE]
    return changing[CHANGES - 1] if len(changing) >= CHANGES else rows[-1][0] if rows else None


def _one_at_a_time(merchant_id: int) -> None:
    """Slices of one merchant go one after another: two that gave the same openids would wait for each other's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"binding by file {merchant_id}"])


def _until_it_fits(file: CustomerFile, last: int) -> None:
    """Where somebody else has entered or bound one of them in this moment, the slice is judged anew."""
    counts = {name: getattr(file, name) for name in ("created", "changed", "same", "refused", "released")}
    for turn in range(_TRIES):
        try:
            with transaction.atomic():
                _do(file, last)
                return
        except IntegrityError:
            for name, count in counts.items():
                setattr(file, name, count)
            if turn == _TRIES - 1:
                raise


def _do(file: CustomerFile, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED)
        _judge(file, last, adds_unknown=file.adds_unknown)
        made = [file.created_by_id, ContentType.objects.get_for_model(Customer).pk]
        if _counts(cursor).get(Verdict.NEW):
            now = timezone.now()
            cursor.execute(_ENTERED, [file.merchant_id, now, now, *made, ADDITION, file.created_by_id])
            file.created += cursor.fetchone()[0]
        cursor.execute(_TO_CHANGE)
        if customers := [pk for (pk,) in cursor.fetchall()]:
            _bind(file, last, customers, made)
        counts = _counts(cursor)
        file.refused += counts.get(Verdict.BAD, 0)
        file.same += counts.get(Verdict.EQUAL, 0)
        cursor.execute(_REFUSED, [file.pk])
        cursor.execute(_DONE, [file.pk, file.position, last])
        cursor.execute("DROP TABLE judged")


def _judge(file: CustomerFile, last: int, chosen: str = "true", *, adds_unknown: bool) -> None:
    """Put the chosen rows of the slice, judged, into the temporary table `judged`."""
    said = _SAID.format(file=file.pk, after=file.position, last=last)
    select, values = bindings.judge(file.merchant_id, f"(SELECT * FROM {said} AS said WHERE {chosen})")  # nosec B608 # names of ours
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO judged ({JUDGED}) {select}", values)  # nosec B608 # names of ours
    bindings.turn_down_unknown(file.merchant_id, "judged", chosen, adds_unknown=adds_unknown)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE judged")
        cursor.execute(_OTHERWISE, [file.pk, file.position, last])
        if cursor.fetchone()[0]:  # else they are held against each other already
            bindings.without_contradictions("judged", chosen)


def _bind(file: CustomerFile, last: int, customers: list[int], made: list[Any]) -> None:
    """Bind those of the slice who are known. With them locked, their rows are judged once more; nobody is entered."""
    with connection.cursor() as cursor:
        list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk").values_list("pk"))
        cursor.execute("DELETE FROM judged WHERE verdict = 'change' RETURNING number")
        numbers = array([number for (number,) in cursor.fetchall()])
        _judge(file, last, f"number = ANY('{numbers}'::integer[])", adds_unknown=False)
        cursor.execute(_TO_CHANGE)
        customers = sorted(pk for (pk,) in cursor.fetchall())
        list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk").values_list("pk"))
        waiting = _lock_what_goes_out(customers)
        cursor.execute(_BOUND, [timezone.now(), *made, CHANGE, file.created_by_id])
        file.changed += cursor.fetchone()[0]
    customers_bound.send(Customer, customers=list(Customer.objects.filter(pk__in=customers).order_by("pk")))
    file.released += released_of(waiting)


def _lock_what_goes_out(customers: list[int]) -> list[int]:
    """Lock the coupons on their way to these customers; returns those of them that wait for a binding."""
    under_way = IssuedCoupon.objects.filter(
        customer__in=customers, delivery__in=[Delivery.WAITING, Delivery.QUEUED]
    )  # fmt: skip
    locked = lifecycle.lock(under_way.values_list("pk", flat=True))
    return [coupon.pk for coupon in locked if coupon.delivery == Delivery.WAITING]


def _counts(cursor: Any) -> dict[str, int]:
    cursor.execute("SELECT verdict, count(*) FROM judged GROUP BY verdict")
    return dict(cursor.fetchall())
