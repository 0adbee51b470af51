"""Who may decide about a merchant's requests, and whether whoever asked may still do what they asked for."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from coupons.choices import ApprovalAct
from coupons.models import Approval
from merchants.models import Merchant
from merchants.rights import ADMINISTER, APPROVE, ISSUE_ANY_NUMBER, has_right
from merchants.scopes import visible_merchants

_BACKEND = "django.contrib.auth.backends.ModelBackend"
RIGHT_TO = {
    ApprovalAct.ISSUE: "coupons.issue_batch",
    ApprovalAct.RECALL: "coupons.recall_batch",
    ApprovalAct.REVOKE: "coupons.revoke_issuedcoupon",
    ApprovalAct.PUBLISH: "coupons.publish_coupontemplate",
    ApprovalAct.CHANGE: "coupons.change_coupontemplate",
}


def approvers_of(merchant: Merchant, *, but: Any) -> QuerySet[Any]:
    """The members of staff who may decide about the merchant's requests, without the one who asks."""
    users = get_user_model()._default_manager
    able = users.with_perm(APPROVE, backend=_BACKEND).filter(is_staff=True)
    administrators = users.with_perm(ADMINISTER, backend=_BACKEND).values("pk")
    sees = Q(pk__in=administrators) | Q(merchant_scope__merchants=merchant)
    found: QuerySet[Any] = able.filter(sees).exclude(pk=but.pk).distinct().order_by("username")
    return found


def may_decide(user: AbstractBaseUser | AnonymousUser, approval: Approval) -> bool:
    """Whether the user has the right, sees the merchant and has not asked themselves."""
    return (
        user.pk != approval.requested_by_id
        and has_right(user, APPROVE)
        and visible_merchants(user).filter(pk=approval.merchant_id).exists()
    )


def still_may(approval: Approval) -> bool:
    """Whether whoever asked could still do it, were it below the limit."""
    user = fresh(approval.requested_by)
    any_number = has_right(user, ISSUE_ANY_NUMBER) or (approval.coupons or 0) <= settings.ISSUE_WITHOUT_RIGHT_LIMIT
    if approval.act == ApprovalAct.ISSUE and not any_number:
        return False
    sees = visible_merchants(user).filter(pk=approval.merchant_id).exists()
    return sees and has_right(user, RIGHT_TO[ApprovalAct(approval.act)])


def fresh(user: Any) -> Any:
    """The user as they are now, with the rights that they have now."""
    return get_user_model()._default_manager.get(pk=user.pk)
