"""The admin of what is said to others and by others: outbox, inbox, pushes, the accounts under which it is said, and
the incidents in all of it.

It also adds to coupons' and templates' pages what only this layer knows (`coupon_story`, `template_sync`).
"""

from integrations.admin import (  # noqa: F401  (importing registers)
    alert_targets,
    api_calls,
    api_keys,
    coupon_delivery,
    coupon_story,
    dfire_accounts,
    erasures,
    inbox,
    incidents,
    merchants,
    outbox,
    partner_orders,
    partners,
    reconcile,
    records,
    reports,
    smart_coupon,
    template_compare,
    template_sync,
    unknown_codes,
    webhook_deliveries,
    webhooks,
)
