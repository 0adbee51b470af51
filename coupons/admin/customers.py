"""Customers of merchants, with what they wait for. Here and not in `merchants`, because the page speaks of coupons."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from coupons.admin.customer_erasing import ErasingActions, progress_notice, state_badge
from coupons.admin.customers_by_file import BindingByFile, telling_what_goes_out
from coupons.admin.export_columns import CUSTOMER
from coupons.admin.filters import WaitingCouponsFilter
from coupons.admin.finding import customers_named
from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from merchants.admin.badges import badge, mono, notice, page_of
from merchants.admin.base import BigTable, ScopedAdmin
from merchants.admin.fields import PortalForm
from merchants.admin.filters import OwnRelatedFilter
from merchants.admin.masking import sees_mobiles
from merchants.erasing import of_names
from merchants.models import Customer, Erasure
from merchants.models.customer import mask_mobile
from merchants.privacy import names_of


class CustomerForm(PortalForm):
    """For users who may not see whole numbers a stored one stays hidden; an empty field keeps it."""

    hides_mobile = False

    class Meta:
        model = Customer
        fields = ["merchant", "identifier", "mobile", "openid"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hidden = self.instance.mobile if self.hides_mobile and self.instance.pk else ""
        if self._hidden and "mobile" in self.fields:
            self.initial["mobile"] = ""
            self.fields["mobile"].widget.attrs["placeholder"] = mask_mobile(self._hidden)
            self.fields["mobile"].help_text = _("Leave it empty to keep the number.")

    def clean_mobile(self) -> str:
        """What was typed, or the hidden number."""
        return self.cleaned_data["mobile"] or self._hidden


class BindingFilter(admin.SimpleListFilter):
    """Customers by what a delivery still lacks."""

    title = _("binding")
    parameter_name = "binding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [
            ("complete", _("complete")),
            ("openid", _("openid missing")),
            ("mobile", _("mobile missing")),
            ("erased", _("erased")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """The customers of the chosen one."""
        match self.value():
            case "complete":
                return queryset.exclude(openid="").exclude(mobile="")
            case "openid":
                return queryset.filter(openid="", erased_at=None)
            case "mobile":
                return queryset.filter(mobile="", erased_at=None)
            case "erased":
                return queryset.filter(erased_at__isnull=False)
        return queryset


def earlier_erasures(customer: Customer) -> QuerySet[Erasure]:
    """The erasures at this merchant of customers who were called the same."""
    return of_names(names_of(customer)).filter(customer__merchant=customer.merchant_id).select_related("customer")


@admin.register(Customer)
class CustomerAdmin(BindingByFile, ErasingActions, BigTable, ScopedAdmin):
    """Members of merchants. Entering the openid lets go what waited for it."""

    form = CustomerForm
    list_display = [
        "identifier_shown",
        "mobile_shown",
        "merchant",
        "binding_shown",
        "waiting_shown",
        "created_at",
    ]
    list_select_related = ["merchant", "erasure"]
    indexed_by_merchant = (set(),)
    export_columns = CUSTOMER
    list_filter = [("merchant", OwnRelatedFilter), BindingFilter, WaitingCouponsFilter]
    search_fields = ["identifier__exact", "mobile__exact", "openid__exact"]
    search_help_text = _("Whole mobile number, identifier or openid")
    ordering = ["-id"]
    autocomplete_fields = ["merchant"]
    fields = ["merchant", "identifier", "mobile", "openid"]
    empty_hint = _("Customers come with their first coupon. You can also enter one here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """With the number of coupons that wait for the binding, counted for the rows shown only."""
        waiting = IssuedCoupon.objects.filter(
            customer=OuterRef("pk"), delivery=Delivery.WAITING, status=CouponStatus.ISSUED
        )
        counted = waiting.order_by().values("customer").annotate(count=Count("pk")).values("count")
        rows = super().get_queryset(request)
        return rows.annotate(waiting=Coalesce(Subquery(counted, output_field=IntegerField()), 0))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The whole identifier, number or openid: each by its index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(pk__in=customers_named(request, term)), False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form for what this user may see."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type("CustomerForm", (form,), {"hides_mobile": not sees_mobiles(request)})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Whoever may not see whole numbers sees the identifier, which often is one, masked."""
        if obj is None:
            return list(self.fields)
        if obj.erased_at is not None:
            return ["erasure_shown", "merchant", "created_at"]
        hidden = not sees_mobiles(request)
        shown = ["merchant", "identifier_shown" if hidden else "identifier"]
        mobile = "mobile_shown" if hidden and not self.has_change_permission(request, obj) else "mobile"
        before = ["erased_before_shown"] if earlier_erasures(obj) else []
        return [*before, *shown, mobile, "openid", "binding_shown", "waiting_shown", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A customer stays with the merchant."""
        computed = [
            "identifier_shown", "mobile_shown", "binding_shown", "waiting_shown", "created_at", "erasure_shown",
            "erased_before_shown",
        ]  # fmt: skip
        return [*computed, "merchant"] if obj else computed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is entered for one who has been erased; a new row is a new customer."""
        return (obj is None or obj.erased_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Customers are erased, which leaves no name in the log either; nobody deletes one."""
        return False

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """Store what was changed and nothing else: a binding made in the meantime stays. Saving lets go what waited."""
        with telling_what_goes_out(request, obj):
            obj.save(update_fields=form.changed_data if change else None)

    @display(description=_("identifier"))
    def identifier_shown(self, customer: Customer) -> str:
        """The identifier, masked where it is a mobile number."""
        if customer.erased_at is not None:
            return str(customer)
        return mono(mask_mobile(customer.identifier))

    @display(description=_("mobile"))
    def mobile_shown(self, customer: Customer) -> str:
        """The number, masked."""
        if customer.erased_at is not None:
            return "-"
        return mono(mask_mobile(customer.mobile)) if customer.mobile else badge(_("missing"), "warning")

    @display(description=_("binding"))
    def binding_shown(self, customer: Customer) -> str:
        """Whether coupons can be delivered to the customer."""
        if customer.erased_at is not None:
            return state_badge(customer.erasure)
        if not customer.openid:
            return badge(_("openid missing"), "warning", hint=str(_("Coupons wait until it is bound.")))
        return badge(_("complete"), "success") if customer.mobile else badge(_("mobile missing"), "warning")

    @display(description=_("erasure"))
    def erasure_shown(self, customer: Customer) -> str:
        """What is left to do, with a link to the customer's coupons."""
        coupons = f"{reverse('admin:coupons_issuedcoupon_changelist')}?customer__id__exact={customer.pk}"
        link = format_html('<a href="{}" class="text-link">{}</a>', coupons, _("The coupons, without a name"))
        return format_html('{}<p class="mt-2">{}</p>', progress_notice(customer.erasure), link)

    @display(description=_("erased before"))
    def erased_before_shown(self, customer: Customer) -> str:
        """That someone of this name asked to be forgotten once, and has come back."""
        rows = format_html_join(", ", "{}", ((page_of(one),) for one in earlier_erasures(customer)))
        words = _("Someone of this name was erased before and is a new customer here:")
        return notice(format_html("{} {}", words, rows), "info")

    @display(description=_("waiting coupons"))
    def waiting_shown(self, customer: Any) -> Any:
        """How many coupons wait for the binding, with a link to them."""
        if not customer.waiting:
            return "-"
        address = reverse("admin:coupons_issuedcoupon_changelist")
        words = ngettext("%(count)s coupon", "%(count)s coupons", customer.waiting) % {"count": customer.waiting}
        query = f"customer__id__exact={customer.pk}&delivery__exact={Delivery.WAITING}"
        return format_html('<a href="{}?{}" class="text-link">{}</a>', address, query, words)
