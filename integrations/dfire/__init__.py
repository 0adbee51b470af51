"""A client of dfire's (二维火) coupon gateway: signing, requests, answers, and errors sorted by their remedy.

It is plain Python on top of requests and knows nothing of Django or of this portal, so that what dfire's
protocol says can be read, tested and reused in one place.
"""

from .client import DfireClient
from .codes import ResultClass
from .errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DfireError,
    DuplicateError,
    EmptyError,
    PermanentError,
    RetryableError,
    TransferMethodError,
    UncertainError,
)
from .exchange import Exchange, Reply
from .signing import sign, verify
from .terms import Channel, Discount, PromotionTerms, SalePrice, SaveMoney
from .values import CouponState, CustomerPromotion, Delivery, Promotion

__all__ = [
    "Channel",
    "ConfigurationError",
    "CouponState",
    "CustomerPromotion",
    "Delivery",
    "DeliveryRefusedError",
    "DfireClient",
    "DfireError",
    "Discount",
    "DuplicateError",
    "EmptyError",
    "Exchange",
    "PermanentError",
    "Promotion",
    "PromotionTerms",
    "Reply",
    "ResultClass",
    "RetryableError",
    "SalePrice",
    "SaveMoney",
    "TransferMethodError",
    "UncertainError",
    "sign",
    "verify",
]
