"""Rights that are kept apart from the others, and who is an administrator.

Whoever may change users could give themselves everything; so that permission, and nothing else, is what makes an
administrator: superusers have it, and the members of the role of that name.
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

ADMINISTER = "auth.change_user"
APPROVE = "merchants.approve"
EXPORT = "merchants.export"
ISSUE_ANY_NUMBER = "merchants.issue_any_number"
MANAGE_ACCOUNTS = "merchants.manage_accounts"
SEE_MOBILES = "merchants.view_full_mobile"
VIEW_WHOLE_TRAIL = "merchants.view_whole_trail"

SENSITIVE = (SEE_MOBILES, EXPORT, ISSUE_ANY_NUMBER, MANAGE_ACCOUNTS, APPROVE)


def administers(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this member of staff is an administrator, who sees every merchant."""
    return bool(user.is_active and getattr(user, "is_staff", False) and has_right(user, ADMINISTER))


def has_right(user: AbstractBaseUser | AnonymousUser, right: str) -> bool:
    """Whether the user has a permission, by a role, a group or their own."""
    check = getattr(user, "has_perm", None)
    return bool(check is not None and check(right))
