"""Makes voucher sets as oscar's dashboard does, one for each number that is read, and answers with the seconds it took.

Run by `tests.bench.comparing` in oscar's own venv: `python -m tests.bench.oscar.vouchers`. The form and its fields are
the dashboard's; neither a page nor the checks of the form are timed, only the saving, which makes the vouchers.
"""

import json
import sys
import time
from datetime import timedelta
from typing import Any

import django


def main() -> None:
    """A line of JSON for each number of vouchers on standard input."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    offer = _offer()
    print(json.dumps({"ready": True}), flush=True)
    for number, line in enumerate(sys.stdin):
        print(json.dumps({"seconds": _made(offer, f"set {number}", int(line))}), flush=True)


def _offer() -> Any:
    """Ten off from fifty, for whoever brings a voucher."""
    from oscar.core.loading import get_model

    goods = get_model("offer", "Range").objects.create(name="all", includes_all_products=True)
    condition = get_model("offer", "Condition").objects.create(range=goods, type="Value", value=50)
    benefit = get_model("offer", "Benefit").objects.create(range=goods, type="Absolute", value=10)
    offers = get_model("offer", "ConditionalOffer").objects
    return offers.create(name="ten off", offer_type="Voucher", condition=condition, benefit=benefit)


def _made(offer: Any, name: str, count: int) -> float:
    from django.db import connection
    from django.utils import timezone
    from oscar.core.loading import get_class, get_model

    vouchers = get_model("voucher", "Voucher").objects
    get_model("voucher", "VoucherSet").objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    now = timezone.now()
    form = get_class("dashboard.vouchers.forms", "VoucherSetForm")({
        "name": name, "code_length": 12, "description": name, "count": count, "usage": "Single use",
        "start_datetime": now, "end_datetime": now + timedelta(days=30), "offers": [offer.pk],
    })  # fmt: skip
    assert form.is_valid(), form.errors
    begun = time.perf_counter()
    form.save()
    took = time.perf_counter() - begun
    assert vouchers.count() == count
    return took


if __name__ == "__main__":
    main()
