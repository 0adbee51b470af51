"""How staff come in: locks after failures, the second factor, and sessions that end. `docs/people.md` tells it.

`locks` is what django-axes asks of us, `gate` stands before every page, `pages` are those of the second factor.
"""
