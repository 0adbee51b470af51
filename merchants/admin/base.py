"""What every admin class of the portal starts from: each member of staff sees the merchants of their scope, no others.

One place decides it for lists, pages, choices, filters and autocompletion, so that no page can forget to.
"""

from collections.abc import Sequence, Set
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import ForeignKey, ManyToManyField, Model, Q, QuerySet
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import Http404, HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.paginator import InfinitePaginator as UncountedPaginator
from unfold.views import ChangeList

from merchants.admin.exporting import Exporting
from merchants.admin.history import TellsHistory
from merchants.admin.keyset import KeysetList
from merchants.admin.list_rows import QuickRows
from merchants.admin.lookups import asks_plainly
from merchants.admin.noting import Noting
from merchants.admin.walls import WalledActions
from merchants.rights import administers
from merchants.scopes import visible_merchants


def is_administrator(request: HttpRequest) -> bool:
    """Whether the user is an administrator, who sees every merchant."""
    return administers(request.user)


def visible_keys(request: HttpRequest) -> list[int]:
    """The keys of the merchants that the user may see, read once a request: a plan knows what they hold."""
    known: tuple[Any, list[int]] | None = request.__dict__.get("_portal_merchants")
    if known is None or known[0] != request.user:
        known = request.user, sorted(visible_merchants(request.user).order_by().values_list("pk", flat=True))
        request.__dict__["_portal_merchants"] = known
    return known[1]


def visible_rows(site: admin.AdminSite, model: type[Model], request: HttpRequest) -> QuerySet[Any] | None:
    """The rows of a model that the user may choose from; None where the model is not bound to merchants."""
    registered = site._registry.get(model)
    return registered.get_queryset(request) if isinstance(registered, ScopedAdmin) else None


class ScopedChoices:
    """Foreign keys offer, and accept, only what the user may see."""

    admin_site: admin.AdminSite

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        """Narrow the choices of a foreign key."""
        if (rows := visible_rows(self.admin_site, db_field.related_model, request)) is not None:
            kwargs.setdefault("queryset", rows)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        """Narrow the choices of a many-to-many field."""
        if (rows := visible_rows(self.admin_site, db_field.related_model, request)) is not None:
            kwargs.setdefault("queryset", rows)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


class PortalAdmin(Noting, TellsHistory, Exporting, ModelAdmin):
    """An admin class whose list can be taken away as a file, and asked for whole values only. Every one is such."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether an address may narrow the list so."""
        return asks_plainly(self.model, lookup) and bool(super().lookup_allowed(lookup, value, request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with its rows made quickly."""
        return QuickRows


class ScopedAdmin(WalledActions, ScopedChoices, PortalAdmin):
    """An admin class whose rows belong to merchants.

    `merchant_path` is the way from a row to its merchant ("merchant", "coupon__merchant"); "" is the merchant itself.
    """

    merchant_path: ClassVar[str] = "merchant"
    list_per_page = 50
    list_filter_submit = True
    warn_unsaved_form = True
    empty_hint: Any = ""
    show_facets = admin.ShowFacets.NEVER  # they count the whole table once for each choice

    def in_scope(self, request: HttpRequest) -> Q:
        """The condition that rows meet which the user, not an administrator, may see."""
        return Q(**{f"{self.merchant_path or 'pk'}__in": visible_keys(request)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the user's merchants."""
        rows = super().get_queryset(request)
        return rows if is_administrator(request) else rows.filter(self.in_scope(request))

    def visible_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row of an action's address, if the user may see it."""
        found = self.get_object(request, unquote(str(object_id)))
        if found is None:
            raise Http404
        return found


class InfinitePaginator(UncountedPaginator):
    """Pages without a count, and not without end: to pass over rows costs as much as to read them.

    Unfold's templates know it by its name, and show no count then.
    """

    template_name = "admin/neighbours.html"
    most_pages = 200

    @cached_property
    def num_pages(self) -> int:
        """How many pages can be looked through; beyond them filters and search lead."""
        return self.most_pages


class BigTable:
    """For tables that grow without end: no counting, no passing over rows, no "select all" across pages."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_disable_select_all = True
    # What may be asked for together, where an index begins with the merchant and goes on with that and the order.
    indexed_by_merchant: ClassVar[Sequence[Set[str]]] = ()
    most_merchants = 100  # beyond it, what they have is no small part of all

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list by pages of keys."""
        return KeysetList

    def merchants_with_index(self, request: HttpRequest) -> list[int] | None:
        """Those of the user's scope, if for what is asked there is an index of each one's rows in the list's order."""
        given = {name for name, value in request.GET.items() if value and name != PAGE_VAR}
        own = [] if is_administrator(request) else visible_keys(request)
        indexed = any(given <= {"merchant__id__exact", *names} for names in self.indexed_by_merchant)
        return own if indexed and 0 < len(own) <= self.most_merchants else None


class ReadOnly:
    """Rows that the portal writes and staff only look at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False


class AdministratorsOnly:
    """What only administrators may see."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether it stands in lists of pages."""
        return is_administrator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it may be seen."""
        return is_administrator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether one may be added."""
        return is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether one may be changed."""
        return is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether one may be deleted."""
        return is_administrator(request)


class ReadOnlyInline(ReadOnly, TabularInline):
    """Rows shown on another row's page."""

    extra = 0
    can_delete = False
    hide_title = True


class ScopedInline(ScopedChoices, TabularInline):
    """Rows edited on another row's page, as a table."""

    extra = 0


class ScopedStackedInline(ScopedChoices, StackedInline):
    """Rows edited on another row's page, one below the other."""

    extra = 0
