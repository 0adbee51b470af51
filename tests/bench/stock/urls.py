"""A plain ModelAdmin of the coupons: the columns, search and filters of the portal's list by Django's own means."""

from django.contrib import admin
from django.urls import path

from coupons.models import IssuedCoupon

site = admin.AdminSite(name="admin")


@admin.register(IssuedCoupon, site=site)
class StockAdmin(admin.ModelAdmin):
    """Nothing but options: Django's paginator counts, and its search is `icontains`."""

    list_display = (
        "code", "template", "customer", "status", "delivery", "issued_at", "valid_until", "redeemed_at",
    )  # fmt: skip
    list_per_page = 50  # as the portal's
    search_fields = ("code", "customer__mobile", "customer__identifier", "customer__openid")
    list_filter = ("merchant", "status", "delivery", "source", "issued_at")
    date_hierarchy = "issued_at"


urlpatterns = [path("admin/", site.urls)]
