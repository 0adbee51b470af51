"""Pages of the admin that are no model's."""

from django.contrib import admin
from django.urls import path

from coupons.admin.settlement import budgets_view, settlement_view

urlpatterns = [
    path("", admin.site.admin_view(settlement_view), name="settlement"),
    path("budgets/", admin.site.admin_view(budgets_view), name="settlement_budgets"),
]
