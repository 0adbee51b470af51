"""People and things that wait for a second person."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from coupons import batches
from coupons.models import Approval, Batch, CouponTemplate
from merchants.models import Merchant, MerchantScope
from tests.admin.pages import list_of, page_of

ASKED = ["Your request waits for a second person."]


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


def stored(row: Any) -> Any:
    """The row as it stands in the database."""
    return type(row).objects.get(pk=row.pk)


def buttons(client: Client, row: Any) -> set[str]:
    """The titles of the buttons on a row's page."""
    context = client.get(page_of(row)).context["actions_detail"]
    return {str(item["title"]) for one in context for item in one.get("items", [one])}


def badge(client: Client) -> str:
    """What the sidebar counts at the approvals."""
    groups = client.get("/admin/").context["sidebar_navigation"]
    found = [item for group in groups for item in group["items"] if item["link"] == list_of(Approval)]
    return str(found[0].get("badge") or "") if found else "none"
