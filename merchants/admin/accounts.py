"""Who may look after the accounts at dfire and at smart-coupon platforms.

Administrators, and whoever has the right to: of those accounts all of whose merchants they see, because what is changed
in an account concerns every merchant that uses it. Making and deleting accounts is the administrators'.
"""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from merchants.admin.base import ScopedAdmin, is_administrator
from merchants.models import Merchant
from merchants.rights import MANAGE_ACCOUNTS, has_right
from merchants.scopes import visible_merchants


def manages_accounts(request: HttpRequest) -> bool:
    """Whether the user may look after accounts at all."""
    return is_administrator(request) or (request.user.is_active and has_right(request.user, MANAGE_ACCOUNTS))


def within_scope(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """The accounts that some merchant uses and no merchant that the user does not see."""
    model: type[Model] = rows.model
    seen = visible_merchants(request.user)
    used = model._default_manager.filter(merchants__in=seen).values("pk")
    foreign = model._default_manager.filter(merchants__in=Merchant.objects.exclude(pk__in=seen)).values("pk")
    return rows.filter(pk__in=used).exclude(pk__in=foreign)


class AccountsPage(ScopedAdmin):
    """The pages of a kind of account, whose `merchants` are those that use it."""

    list_per_page = 100
    list_filter_submit = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All for administrators, those within the scope for others."""
        rows = super(ScopedAdmin, self).get_queryset(request)
        return rows if is_administrator(request) else within_scope(rows, request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether it stands in lists of pages."""
        return manages_accounts(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it may be seen."""
        return manages_accounts(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it may be changed."""
        return manages_accounts(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators make accounts."""
        return is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators delete accounts."""
        return is_administrator(request)
