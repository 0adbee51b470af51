"""Every place that may carry an erased customer's names, and how each of them forgets.

What hangs on a coupon is blanked with it. What hangs on none (refused and repeated pushes, callbacks that fit no
coupon, staff's log) is looked through for the names.
"""

import json
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from coupons import erasing, lifecycle
from coupons.choices import TRANSFERS, CouponStatus
from coupons.models import BatchRow, IssuedCoupon
from integrations.models import (
    ApiAnswer,
    ApiCall,
    DfireCallback,
    Finding,
    OutboxAttempt,
    OutboxRow,
    PartnerApp,
    PartnerOrder,
    Push,
)
from integrations.models.outbox import SETTLED_FOR_GOOD, RowKind, RowState
from integrations.models.reconcile import FindingState
from integrations.retention.contents import blank
from integrations.webhooks import forgetting
from merchants.admin.masking import masked_text
from merchants.choices import Verdict, Why
from merchants.models import Customer, CustomerFileRow, Erasure
from merchants.privacy import HIDDEN, mentions, without_names

_AT_ONCE = 1000


def coupons_of(erasure: Erasure) -> QuerySet[IssuedCoupon]:
    """The coupons whose records speak of the customer."""
    return IssuedCoupon.objects.filter(customer=erasure.customer_id)


def names_of(erasure: Erasure) -> set[str]:
    """Everything the customer was called: on the row, and under whatever identity dfire was ever told."""
    names = erasure.names_left()
    always_theirs = coupons_of(erasure).exclude(events__kind__in=TRANSFERS)  # others' records name their givers too
    for coupon in always_theirs.exclude(delivered_openid=""):
        names |= {coupon.delivered_openid, coupon.delivered_mobile}
    attempts = OutboxAttempt.objects.filter(row__coupon__in=always_theirs).exclude(identity={})
    for identity in attempts.values_list("identity", flat=True):
        names |= {str(identity.get("openid", "")), str(identity.get("mobile", ""))}
    return names - {""}


def open_rows(coupons: QuerySet[IssuedCoupon]) -> QuerySet[OutboxRow]:
    """The rows that dfire must still be told, or that failed and may leave the coupon with the customer there."""
    failed = Q(state=RowState.DEAD) & ~Q(kind=RowKind.DELIVER)
    return OutboxRow.objects.filter(coupon__in=coupons).filter(
        failed | ~Q(state__in=[*SETTLED_FOR_GOOD, RowState.DEAD])
    )


@transaction.atomic
def forget_coupon(coupon_id: int) -> bool:
    """Blank what is kept about a coupon, if nothing about it is open any more.

    Returns:
        Whether it has been forgotten; else something has come up meanwhile.
    """
    coupon = lifecycle.lock([coupon_id])[0]
    if coupon.status in (CouponStatus.ISSUED, CouponStatus.REDEEMING):
        return False
    if open_rows(IssuedCoupon.objects.filter(pk=coupon_id)).exists():
        return False
    erasing.forget_holder(coupon)
    rows = OutboxRow.objects.filter(coupon=coupon)
    # A delivery that failed is nobody's business any more.
    rows.filter(state=RowState.DEAD).update(state=RowState.CANCELLED, settled_at=timezone.now())
    blank(rows)
    blank(OutboxAttempt.objects.filter(row__coupon=coupon))
    blank(Push.objects.filter(coupon=coupon))
    blank(DfireCallback.objects.filter(coupon=coupon))
    PartnerOrder.objects.filter(coupon=coupon).update(message="")
    blank(ApiCall.objects.filter(coupon=coupon))
    forgetting.forget(coupon_id)
    return True


def forget_pushes(erasure: Erasure, names: set[str]) -> None:
    """Blank pushes that made no coupon, refused or repeated, in which the customer is named."""
    pushes = Push.objects.filter(
        coupon=None, blanked_at=None, received_at__lte=erasure.asked_at,
        account__merchants=erasure.customer.merchant_id,
    )  # fmt: skip
    for batch in batches(pushes):
        found = [push.pk for push in batch if mentions(readable(push.body), names) or in_json(push.answer, names)]
        blank(Push.objects.filter(pk__in=found))


def forget_callbacks(names: set[str]) -> None:
    """Take the names out of callbacks that fit no coupon. The rest stays as received: an open one is still tried."""
    for batch in batches(DfireCallback.objects.filter(coupon=None, blanked_at=None)):
        for callback in batch:
            if in_json([callback.parameters, callback.note], names):
                said = {key: HIDDEN if in_json(value, names) else value for key, value in callback.parameters.items()}
                note = without_names(callback.note, names)
                DfireCallback.objects.filter(pk=callback.pk, coupon=None).update(parameters=said, note=note)


def forget_findings(erasure: Erasure, names: set[str]) -> None:
    """Take the places out of what comparisons with dfire have found, and out of what was done about unknown codes."""
    theirs = Finding.objects.filter(Q(customer=erasure.customer_id) | Q(coupon__in=coupons_of(erasure)))
    theirs.filter(state=FindingState.OPEN).update(state=FindingState.STALE)
    theirs.exclude(details={}).update(details={})
    unknown = OutboxRow.objects.filter(
        merchant=erasure.customer.merchant_id, kind=RowKind.WITHDRAW_UNKNOWN, state__in=SETTLED_FOR_GOOD
    )
    for batch in batches(unknown.filter(blanked_at=None)):
        found = [row.pk for row in batch if in_json(row.details, names)]
        blank(OutboxAttempt.objects.filter(row__in=found))
        blank(OutboxRow.objects.filter(pk__in=found))


def forget_api_answers(names: set[str]) -> None:
    """Take the holder out of answers that the partner API gave and would give again."""
    for batch in batches(ApiAnswer.objects.all()):
        for answer in batch:
            said = json.loads(answer.answer or "null")
            if isinstance(said, dict) and said.get("identifier") in names:
                kept = {**said, "identifier": None}
                ApiAnswer.objects.filter(pk=answer.pk).update(answer=json.dumps(kept, ensure_ascii=False))


def forget_api_calls(merchant_id: int, names: set[str]) -> None:
    """Blank the calls of the partner API in which a customer of the merchant (by its primary key) is named, be it by a
    masked number. The database looks for the names, in a bounded number of calls at a time that it finds by their
    index: those about the merchant, then those about none, of the apps that are the merchant's."""
    names = names | {masked_text(name) for name in names}
    kept = ("path", "body", "answer")
    named = reduce(or_, (Q(**{f"{field}__contains": name}) for field in kept for name in names), Q(pk__in=[]))
    apps = list(PartnerApp.objects.filter(merchants=merchant_id).values_list("pk", flat=True))
    for about, of in ((Q(merchant=merchant_id), Q()), (Q(merchant=None), Q(app__in=apps))):
        for batch in batches(ApiCall.objects.filter(about).only("pk")):
            calls = ApiCall.objects.filter(of, named, pk__in=[call.pk for call in batch], blanked_at=None)
            found = [call.pk for call in calls if mentions(f"{call.path} {call.body} {call.answer}", names)]
            blank(ApiCall.objects.filter(pk__in=found))


def forget_log(erasure: Erasure, names: set[str]) -> None:
    """Take the names out of what staff's log says about the customer and the coupons."""
    about_customer = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Customer), object_id=str(erasure.customer_id)
    )
    about_customer.update(object_repr=str(erasure.customer))
    ids = [str(pk) for pk in coupons_of(erasure).values_list("pk", flat=True)]
    about_coupons = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(IssuedCoupon), object_id__in=ids
    )
    for entry in (about_customer | about_coupons).exclude(change_message=""):
        if (said := without_names(entry.change_message, names)) != entry.change_message:
            LogEntry.objects.filter(pk=entry.pk).update(change_message=said)


def forget_batch_rows(erasure: Erasure, names: set[str]) -> None:
    """Take what staff typed out of the rows of the merchant's batches that name the customer."""
    own = Q(text__in=names, batch__merchant=erasure.customer.merchant_id)
    BatchRow.objects.filter(own | Q(customer=erasure.customer_id)).exclude(text="").update(text="")


def forget_file_rows(erasure: Erasure, names: set[str]) -> None:
    """Take what staff typed out of the rows of the merchant's customer files that name the customer."""
    named = Q(identifier__in=names) | Q(mobile__in=names) | Q(openid__in=names) | Q(customer=erasure.customer_id)
    CustomerFileRow.objects.filter(named, file__merchant=erasure.customer.merchant_id).update(
        identifier="", mobile="", openid="", verdict=Verdict.BAD, why=Why.WAS_ERASED, other=None, customer=None
    )


def batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """The rows by their ids, a thousand at a time, each read when its turn comes."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        yield batch
        last = batch[-1].pk


def readable(text: str) -> str:
    """The text, and what it says as JSON: an escaped digit is a digit."""
    try:
        return f"{text}\n{json.dumps(json.loads(text), ensure_ascii=False)}"
    except (ValueError, RecursionError):
        return text


def in_json(value: Any, names: Iterable[str]) -> bool:
    """Whether one of the names stands in a JSON value."""
    return mentions(json.dumps(value, ensure_ascii=False), names)
