"""What the portal exists for: coupon templates, issued coupons and their lives. Knows nothing of HTTP or dfire."""
