"""The admin of what the portal exists for: coupon templates, issued coupons, and the customers who hold them."""

from coupons.admin import (  # noqa: F401  (importing registers)
    approvals,
    batch_rows,
    batches,
    coupons,
    customer_erasing,
    customer_file_rows,
    customer_files,
    customers,
    records,
    templates,
    trail_words,
)
