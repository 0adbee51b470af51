"""A stand-in for dfire and for the smart-coupon platform, run as one process of its own.

It exists so that the portal can be tried, demonstrated and tested end to end without a till: it speaks
dfire's wire protocol to the letter, keeps a ledger like a till's, and misbehaves on request. It shares no
code with the portal's own client, so that a mistake there is not mirrored here.
"""
