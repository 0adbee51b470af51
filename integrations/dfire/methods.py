"""The names of the gateway's methods, and which of them change something.

Seed 003 misprints several names in its samples; these are the ones that PROTOCOLS §1 "Methods" settles.
Whether a call only reads decides what a missing answer means, so that is said here too.
"""

API_VERSION = "1.0"

QUERY_PROMOTIONS = "dfire.shop.query.promotion"
DELIVER_PROMOTION = "dfire.shop.deliver.promotion"
QUERY_CUSTOMER_PROMOTIONS = "dfire.shop.customer.query.promotion"
SAVE_PROMOTION = "dfire.shop.save.promotion"
VERIFY_PROMOTION = "dfire.shop.verify.promotion"
DELETE_PROMOTION = "dfire.shop.delete.promotion"
DELETE_CUSTOMER_PROMOTION = "dfire.shop.delete.customer.promotion"
CHANGE_PUSH = "dfire.shop.promotion.change.push"

READ_ONLY = frozenset({QUERY_PROMOTIONS, QUERY_CUSTOMER_PROMOTIONS})

# None of these may stand in for the transfer method, whose own name the seed does not give.
KNOWN_METHODS = READ_ONLY | {
    DELIVER_PROMOTION,
    SAVE_PROMOTION,
    VERIFY_PROMOTION,
    DELETE_PROMOTION,
    DELETE_CUSTOMER_PROMOTION,
    CHANGE_PUSH,
}


def moves_coupons(method: str) -> bool:
    """Say whether an account's transfer method can be one: it is named, and is none of the other methods."""
    return bool(method.strip()) and method.strip().lower() not in KNOWN_METHODS


def changes_something(method: str) -> bool:
    """Say whether a call may leave a trace at dfire; a method we do not know is taken to."""
    return method not in READ_ONLY
