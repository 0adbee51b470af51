"""`make chaos`: the whole portal under load while everything around it breaks, and then three ledgers compared.

`campaign` runs it, `driver` does what customers, cashiers and staff do, `breaking` kills, `ledgers` compares
what we hold, what dfire holds and what was promised to the callers. It sends to 127.0.0.1 only.
"""
