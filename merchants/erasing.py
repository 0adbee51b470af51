"""Forgetting a customer: the row loses its names at once and for good, and whoever holds traces of them is told by the
erasure that stands open until the last is gone.

The row stays with its id, so that history and the coupons' figures stay whole. An erased row is never revived: the same
identifier, pushed again, makes a new customer; staff recognise it by the keyed hashes.
"""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from merchants.audit.recording import record
from merchants.models import Customer, Erasure
from merchants.models.customer import ERASED
from merchants.privacy import names_of, without_names
from merchants.secrets import digest, keyed_hashes


@transaction.atomic
def ask(customer: Customer, *, reason: str, asked_by: str) -> tuple[Erasure, bool]:
    """Take the names off the customer's row, for good, and open the erasure of everything else.

    Args:
        reason: for the record; names in it are taken out.
        asked_by: `staff:name` or `command:name`.

    Returns:
        The erasure, and whether it is new: a second request finds the first.
    """
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if earlier := Erasure.objects.filter(customer=locked).first():
        return earlier, False
    names = names_of(locked)
    erasure = Erasure.objects.create(
        customer=locked,
        asked_by=asked_by,
        reason=without_names(reason, names)[:200],
        names=json.dumps(sorted(names)),
        **_recognised_by(names),
    )
    gone = {"identifier": f"{ERASED}{uuid.uuid4()}", "mobile": "", "openid": "", "erased_at": erasure.asked_at}
    Customer.objects.filter(pk=locked.pk).update(**gone)
    for field, value in gone.items():
        setattr(customer, field, value)
    record(locked, gettext_noop("Erased a customer."), reason=erasure.reason)
    return erasure, True


def finish(erasure: Erasure) -> None:
    """No trace is left: forget the names too."""
    Erasure.objects.filter(pk=erasure.pk, finished_at=None).update(finished_at=timezone.now(), names="")


def unfinished() -> QuerySet[Erasure]:
    """The erasures under way, oldest first."""
    return Erasure.objects.filter(finished_at=None).select_related("customer").order_by("pk")


def of_names(names: Iterable[str]) -> QuerySet[Erasure]:
    """The erasures of customers who had one of these names, as far as the keys that hashed them are still configured
    (FIELD_ENCRYPTION_KEYS)."""
    hashes = [hashed for name in names for hashed in hashes_of(name)]
    return Erasure.objects.filter(name_hashes__overlap=hashes) if hashes else Erasure.objects.none()


def hashes_of(name: str) -> list[str]:
    """Each hash under which an erasure may keep a name."""
    # Those from before digests were kept are hashed by the name itself.
    return [hashed for text in (digest(_domain(name)), _domain(name)) for hashed in keyed_hashes(text)]


def _recognised_by(names: Iterable[str]) -> dict[str, Any]:
    digests = json.dumps(sorted(digest(_domain(name)) for name in names))
    return {"name_digests": digests, **Erasure.keyed_columns({"name_digests": digests})}


def _domain(name: str) -> str:
    """Apart from the hashes of tokens and keys, which are made with the same keys."""
    return f"customer:{name}"
