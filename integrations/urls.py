"""The addresses that other systems call."""

from django.urls import include, path

from integrations.hooks.dfire import DfireHook
from integrations.hooks.smart_coupon import CreateCouponHook, GiveCouponHook
from integrations.partner_api.schema.views import DocsView, SchemaView

urlpatterns = [
    path("hooks/smart-coupon/<str:token>/coupon/", CreateCouponHook.as_view(), name="hook-create-coupon"),
    path("hooks/smart-coupon/<str:token>/coupon-detail/", GiveCouponHook.as_view(), name="hook-give-coupon"),
    path("hooks/dfire/", DfireHook.as_view(), name="hook-dfire"),
    path("api/v1/", include("integrations.partner_api.urls")),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
]
