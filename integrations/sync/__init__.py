"""What is said to dfire, and what its answers mean here: one handler for each kind of outbox row.

`receivers` turns what happens to coupons and templates into rows; `promotions` and `deliveries` work them.
"""
