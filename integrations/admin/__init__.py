"""The admin of what is said to others and by others: outbox, inbox, pushes, and the accounts under which it is said.

It also adds to coupons' and templates' pages what only this layer knows (`coupon_story`, `template_sync`).
"""

from integrations.admin import (  # noqa: F401  (importing registers)
    coupon_story,
    dfire_accounts,
    inbox,
    merchants,
    outbox,
    partners,
    reconcile,
    records,
    smart_coupon,
    template_sync,
)
