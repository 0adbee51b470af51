"""How long the portal keeps what was said about people, and how it forgets one of them on request.

`contents` says what is blanked of a row, `kinds` what is pruned at which age, `pruning` does it in small batches;
`erasing` brings the erasure of a customer to its end, `traces` finds what carries their names. See docs/retention.md.
"""
