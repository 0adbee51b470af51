"""The models of this application, one module for each thing."""

from merchants.models.accounts import DfireAccount, SmartCouponAccount
from merchants.models.audit import AuditAction, AuditEntry
from merchants.models.customer import Customer
from merchants.models.customer_file import CustomerFile, CustomerFilePart, CustomerFileRow
from merchants.models.erasure import Erasure
from merchants.models.merchant import Merchant, Shop
from merchants.models.scope import MerchantScope
from merchants.models.sign_in import Authenticator, FailedSignIn, SignIn, SignInLock

__all__ = [
    "AuditAction",
    "AuditEntry",
    "Authenticator",
    "Customer",
    "CustomerFile",
    "CustomerFilePart",
    "CustomerFileRow",
    "DfireAccount",
    "Erasure",
    "FailedSignIn",
    "Merchant",
    "MerchantScope",
    "Shop",
    "SignIn",
    "SignInLock",
    "SmartCouponAccount",
]
