"""The one door through which coupons are given out, one or many: stock, limits, terms, code, history, signal.

Locks are taken in the order customer, coupon, template, outbox row everywhere in the portal, so that no two
transactions wait for each other. Whoever issues holds the template's row to the commit, so that stock, budget and the
limits per person are exact.
"""

from coupons.issuing.common import Through, validity
from coupons.issuing.many import Given, Issued, issue_many
from coupons.issuing.one import insert, issue

__all__ = ["Given", "Issued", "Through", "insert", "issue", "issue_many", "validity"]
