"""The outbox at work: rows are put in, claimed under a lease, sent side by side and settled.

`queue` puts in, `claiming` takes out, `engine` drives, `settling` writes what came of it, `pace` keeps each account's
limits, `handlers` is what a kind of row has to know. What is said to dfire is decided in `integrations.sync`.
"""
