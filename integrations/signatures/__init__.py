"""Why a signature does not fit: what is signed, what we make of it, and where what others made of it differs.

`dfire`, `smart_coupon` and `webhooks` each look at one kind of message with the very code that signs and verifies it;
`trials` tries the slips that people make, `differences` compares two texts, `reports` is what comes of it. Nothing here
returns a secret, and nothing touches the database or the network.
"""
