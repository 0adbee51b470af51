"""What tests of batches do again and again."""

from coupons import batches
from coupons.models import Batch, CouponTemplate, IssuedCoupon


def ready(template: CouponTemplate, names: list[str]) -> Batch:
    batch = batches.begin_issue(template, "\n".join(names), name="中秋")
    batches.work_all()
    batch.refresh_from_db()
    return batch


def ran(template: CouponTemplate, names: list[str]) -> Batch:
    return finished(ready(template, names))


def finished(batch: Batch) -> Batch:
    batches.start(batch)
    batches.work_all()
    batch.refresh_from_db()
    return batch


def people(count: int) -> list[str]:
    return [f"member-{n}" for n in range(count)]


def holders(batch: Batch) -> list[str]:
    return sorted(IssuedCoupon.objects.filter(batch=batch).values_list("customer__identifier", flat=True))
