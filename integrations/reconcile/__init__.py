"""Comparing a merchant with dfire, and mending what differs.

`runs` moves a run through its states, `driving` works one, `targets` says whom to ask about, `reading` asks within the
account's limits, `comparing` and `promotions` find what differs, `planning` writes it down; `deciding` is what staff
do with a plan, `repairing` hands it to the outbox.
"""
