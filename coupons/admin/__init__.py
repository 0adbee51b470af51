"""The admin of what the portal exists for: coupon templates, issued coupons, and the customers who hold them."""

from coupons.admin import (  # noqa: F401  (importing registers)
    approvals,
    batch_rows,
    batches,
    coupons,
    customer_erasing,
    customers,
    records,
    templates,
    trail_words,
)
