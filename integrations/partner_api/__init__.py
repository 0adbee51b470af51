"""The partner API, `/api/v1/`: what partners' applications ask and do, each for its own merchants alone.

Every call goes the same way (`view`): read what was sent, know who calls and what they may, then act within bounded
time, once for each `Idempotency-Key`. Every refusal has one form and a stable code (`errors`).
"""
