"""Taking a customer file over: what can be seen at once is refused at once, the rest is kept for a worker."""

import io
from contextlib import closing
from itertools import islice
from typing import IO, Any

from django.db import transaction

from coupons.signals import customer_file_wanted
from merchants import bindings
from merchants.models import CustomerFile, Merchant
from merchants.privacy import without_names

_LOOKED_AT = 1000  # rows


def begin(
    merchant: Merchant, source: IO[bytes] | str, *, adds_unknown: bool, name: str = "", by: Any = None
) -> CustomerFile:
    """Keep an upload (or pasted text) to be checked.

    Args:
        adds_unknown: whether customers who are not known yet are entered, or are a mistake.
        name: of the file; mobile numbers are taken out of it.
        by: the user who asks.

    Raises:
        TableError: it is no table, too large, or has no such columns; it says so in the active language. What is wrong
            further down is found by the check.
    """
    if isinstance(source, str):
        source = io.BytesIO(source.encode())
    with closing(bindings.entries_of(source)) as entries:
        for _entry in islice(entries, _LOOKED_AT):
            pass
    with transaction.atomic():
        file = CustomerFile.objects.create(
            merchant=merchant, name=without_names(name, ())[:200], adds_unknown=adds_unknown, created_by=by
        )
        file.size = bindings.keep(file, source)
        file.save(update_fields=["size"])
        customer_file_wanted.send(CustomerFile, file=file)
    return file
