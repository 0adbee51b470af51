"""People and things that wait for a second person."""

from typing import Any

from django.contrib.auth.models import Permission, User

from coupons import batches
from coupons.models import Batch, CouponTemplate
from merchants.models import Merchant, MerchantScope


def member(name: str, *rights: str, sees: Merchant | None = None) -> User:
    """A member of staff with these rights (`app.codename`) who sees the merchant."""
    user: User = User.objects.create_user(name, is_staff=True)
    for right in rights:
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    if sees is not None:
        MerchantScope.objects.create(user=user).merchants.add(sees)
    return user


def asker(merchant: Merchant, name: str = "asker") -> User:
    """May issue, recall, revoke, edit and publish, and approve."""
    return member(
        name, "coupons.issue_batch", "coupons.recall_batch", "coupons.revoke_issuedcoupon",
        "coupons.publish_coupontemplate", "coupons.change_coupontemplate", "merchants.approve", sees=merchant,
    )  # fmt: skip


def approver(merchant: Merchant, name: str = "approver") -> User:
    """May approve, and nothing else."""
    return member(name, "merchants.approve", sees=merchant)


def checked(template: CouponTemplate, count: int, prefix: str = "m", **fields: Any) -> Batch:
    """A batch that waits for a yes."""
    batch = batches.begin_issue(template, "\n".join(f"{prefix}{n}" for n in range(count)), **fields)
    batches.work_all()
    batch.refresh_from_db()
    return batch
