"""A merchant's member, to whom coupons are given."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from merchants.models.merchant import Merchant

MOBILE = re.compile(r"1[0-9]{10}\Z")
ERASED = "erased:"  # begins the identifier of an erased row


def is_mobile(text: str) -> bool:
    """Whether the text has the form of a mainland mobile number (PROTOCOLS §2: `^1\\d{10}$`)."""
    return MOBILE.match(text) is not None


def mask_mobile(mobile: str) -> str:
    """The number as it may be shown and logged: 138****8000."""
    return f"{mobile[:3]}****{mobile[-4:]}" if is_mobile(mobile) else mobile


class Customer(models.Model):
    """A member of one merchant: the same person at two merchants is two customers."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="customers", db_index=False
    )
    identifier = models.CharField(
        _("identifier"), max_length=128, help_text=_("As the merchant's membership names the customer.")
    )
    mobile = models.CharField(
        _("mobile"),
        max_length=11,
        blank=True,
        default="",
        validators=[RegexValidator(MOBILE, _("A mobile number has 11 digits and starts with 1."))],
    )
    openid = models.CharField(
        _("openid"),
        max_length=128,
        blank=True,
        default="",
        help_text=_("Under the merchant's WeChat account."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-id"]
        permissions = [
            ("view_full_mobile", _("Can see whole mobile numbers")),
            ("erase_customer", _("Can erase customers")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "identifier"],
                name="customer_identifier_unique_in_merchant",
                violation_error_message=_("This merchant has a customer with this identifier already."),
            ),
            models.UniqueConstraint(
                fields=["merchant", "openid"],
                condition=~Q(openid=""),
                name="customer_openid_unique_in_merchant",
                violation_error_message=_("Another customer of this merchant has this openid."),
            ),
            models.CheckConstraint(condition=~Q(identifier=""), name="customer_identifier_not_empty"),
            # Whoever writes to an erased row by mistake is stopped here: it is never revived.
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(identifier__startswith=ERASED, mobile="", openid=""),
                name="customer_erased_has_no_name",
            ),
        ]
        indexes = [
            models.Index(fields=["mobile"], name="customer_mobile"),
            models.Index(fields=["merchant", "-id"], name="customer_of_merchant"),
        ]

    def __str__(self) -> str:
        if self.erased_at is not None:
            return gettext("erased customer %(id)s") % {"id": self.pk}
        return mask_mobile(self.identifier)
