"""Merchants and their shops."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from merchants.admin.badges import badge, mono
from merchants.admin.base import ScopedAdmin, ScopedInline, is_administrator
from merchants.admin.fields import PortalForm
from merchants.admin.filters import OwnRelatedFilter
from merchants.models import Merchant, Shop


class ShopInline(ScopedInline):
    """The merchant's shops, edited with it."""

    model = Shop
    fields = ["name", "entity_id"]
    ordering = ["name"]
    hide_title = True
    per_page = 50


@admin.register(Merchant)
class MerchantAdmin(ScopedAdmin):
    """Brands. The dfire account is the administrators' to choose."""

    merchant_path = ""
    list_display = ["name", "id_shown", "account_shown", "shop_count", "entity_id", "appid_shown"]
    list_display_links = ["name"]
    list_select_related = ["dfire_account"]
    search_fields = ["name", "merchant_id__startswith"]
    search_help_text = _("Name or merchant ID")
    ordering = ["-id"]
    inlines = [ShopInline]
    autocomplete_fields = ["dfire_account"]
    empty_hint = _("Add the first merchant, then its shops; coupon templates come after that.")
    fieldsets = [
        (None, {"fields": ["name", "merchant_id"]}),
        (
            _("At dfire"),
            {
                "fields": ["dfire_account", "entity_id", "plate_entity_id"],
                "description": _("Without an account, coupons are kept here and wait."),
            },
        ),
        (_("At WeChat"), {"fields": ["appid"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merchant]:
        """With the number of shops."""
        shops = Shop.objects.filter(merchant=OuterRef("pk")).order_by().values("merchant")
        counted = Subquery(shops.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
        return super().get_queryset(request).annotate(shops_counted=Coalesce(counted, 0))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Which account a merchant uses decides where its coupons go: administrators choose it."""
        return [] if is_administrator(request) else ["dfire_account"]

    @display(description=_("merchant ID"), ordering="merchant_id")
    def id_shown(self, merchant: Merchant) -> str:
        """The merchant's id."""
        return mono(merchant.merchant_id)

    @display(description=_("dfire account"), ordering="dfire_account__name")
    def account_shown(self, merchant: Merchant) -> str:
        """The account, or that there is none."""
        if merchant.dfire_account is None:
            return badge(_("not connected"), "warning")
        return badge(merchant.dfire_account.name, "success")

    @display(description=_("shops"), ordering="shops_counted")
    def shop_count(self, merchant: Any) -> int:
        """How many shops."""
        return int(merchant.shops_counted)

    @display(description="appid", ordering="appid")
    def appid_shown(self, merchant: Merchant) -> str:
        """The appid, or that deliveries wait for it."""
        return merchant.appid or badge(_("missing"), "warning", hint=str(_("Nothing can be delivered without it.")))


@admin.register(Shop)
class ShopAdmin(ScopedAdmin):
    """All shops, across merchants."""

    form = PortalForm
    list_display = ["name", "merchant", "entity_shown"]
    list_select_related = ["merchant"]
    list_filter = [("merchant", OwnRelatedFilter)]
    search_fields = ["name", "entity_id__startswith"]
    search_help_text = _("Name or dfire entity ID")
    ordering = ["-id"]
    autocomplete_fields = ["merchant"]
    empty_hint = _("Shops are added here or on their merchant's page.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A shop stays with its merchant: coupons were redeemed there."""
        return ["merchant"] if obj else []

    @display(description=_("dfire entity ID"), ordering="entity_id")
    def entity_shown(self, shop: Shop) -> str:
        """The entity id."""
        return mono(shop.entity_id)
