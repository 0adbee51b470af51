"""Webhooks: partners are told at once what happens to coupons and templates of their merchants.

`receivers` and `events` write deliveries in the transaction of what they tell of, `lanes` hands them out under a lease
and writes what came of them, `driving` works them in a worker, `sending` makes the one call (`targets` decides where it
may go, `signing` how it is signed), `switching` and `resending` are what staff do, `forgetting` takes erased customers
out.
"""
