"""Which entries of the audit trail a member of staff may see.

Those about merchants of their scope, of kinds whose pages they may see. Accounts, apps and keys belong to no merchant:
their entries are for whoever sees the object itself. What concerns staff, and what the portal did as a whole, is for
administrators and for whoever has the right to the whole trail.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from merchants.admin.base import ScopedAdmin
from merchants.rights import VIEW_WHOLE_TRAIL, has_right
from merchants.scopes import visible_merchants

ABOUT_STAFF = (
    *("auth.user", "auth.group", "merchants.authenticator", "merchants.merchantscope"),
    *("merchants.signin", "merchants.failedsignin", "merchants.signinlock"),
)
_OF_NO_MERCHANT = (
    *("merchants.dfireaccount", "merchants.smartcouponaccount", "integrations.partnerapp", "integrations.apikey"),
    *("integrations.webhookendpoint", "integrations.alerttarget"),
)


def visible_kinds(request: HttpRequest) -> dict[str, Any]:
    """The pages that the user may see, by the kind of their objects."""
    pages = admin.site._registry.items()
    return {model._meta.label_lower: page for model, page in pages if page.has_view_or_change_permission(request)}


def entries_in_scope(request: HttpRequest) -> Q:
    """The condition for whoever is no administrator."""
    pages = visible_kinds(request)
    seen = Q(merchant__in=visible_merchants(request.user), kind__in=list(pages))
    for kind in _OF_NO_MERCHANT:
        page = pages.get(kind)
        if isinstance(page, ScopedAdmin):
            keys = [str(key) for key in page.get_queryset(request).order_by().values_list("pk", flat=True)]
            seen |= Q(merchant=None, kind=kind, object_id__in=keys)
    if has_right(request.user, VIEW_WHOLE_TRAIL):
        seen |= Q(merchant=None) & (Q(kind__in=ABOUT_STAFF) | Q(object_id=""))
    return seen
