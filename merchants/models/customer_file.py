"""A file of customers on its way in: as it came, its rows as they were judged, and how far it is (docs/customers.md).

The upload is kept sealed, in parts, until it has been checked; its rows until they are entered. What is not done stays
with its reason until it has come of age (docs/retention.md).
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchants.choices import AT_WORK, FileState, Verdict, Why
from merchants.models.customer import Customer
from merchants.models.merchant import Merchant
from merchants.secrets import EncryptedTextField


class CustomerFile(models.Model):
    """What is entered, how far it is, and who wanted it.

    `position` is the number of the last row that was checked, or entered. `new` to `waiting` are what the check found
    (rows; of `waiting`, coupons that would go out), `created` to `released` what came of it (customers; of `same` and
    `refused`, rows; of `released`, coupons).
    """

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+", db_index=False
    )  # by its index with the id
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=FileState.choices, default=FileState.CHECKING)
    adds_unknown = models.BooleanField(_("enters new customers"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    position = models.PositiveIntegerField(default=0, editable=False)
    new = models.PositiveIntegerField(_("new customers"), default=0)
    change = models.PositiveIntegerField(_("to be changed"), default=0)
    equal = models.PositiveIntegerField(_("the same already"), default=0)
    bad = models.PositiveIntegerField(_("not done"), default=0)
    waiting = models.PositiveIntegerField(_("coupons that wait"), default=0)
    created = models.PositiveIntegerField(_("entered"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    same = models.PositiveIntegerField(_("unchanged meanwhile"), default=0)
    refused = models.PositiveIntegerField(_("not done after all"), default=0)
    released = models.PositiveIntegerField(_("deliveries released"), default=0)
    problem = models.CharField(_("what is the matter"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("customer file")
        verbose_name_plural = _("customer files")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=FileState.values), name="customer_file_state_known")
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="customer_file_of_merchant"),
            models.Index(fields=["id"], condition=Q(state__in=AT_WORK), name="customer_file_at_work"),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class CustomerFilePart(models.Model):
    """A piece of the file as it came: packed, and sealed with FIELD_ENCRYPTION_KEYS."""

    file = models.ForeignKey(CustomerFile, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField(_("number"))
    content = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("part of a customer file")
        verbose_name_plural = _("parts of customer files")
        ordering = ["file", "number"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="customer_file_part_numbered_once")]

    def __str__(self) -> str:
        return f"{self.file} · {self.number}"


class CustomerFileRow(models.Model):
    """One row: what it says, what it comes to, and why it is not done if it is not. `other` is the number of the row
    that it contradicts, `customer` whom it is about if somebody is known."""

    file = models.ForeignKey(CustomerFile, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(_("row"))
    identifier = models.CharField(_("identifier"), max_length=1000, blank=True, default="")
    mobile = models.CharField(_("mobile"), max_length=1000, blank=True, default="")
    openid = models.CharField(_("openid"), max_length=1000, blank=True, default="")
    verdict = models.CharField(_("what it comes to"), max_length=6, choices=Verdict.choices)
    why = models.CharField(_("reason"), max_length=12, choices=Why.choices, blank=True, default="")
    other = models.PositiveIntegerField(_("other row"), null=True, blank=True)
    # Written by the million and read once; customers are never deleted.
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, verbose_name=_("customer"), null=True, blank=True, related_name="+",
        db_index=False, db_constraint=False,
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("row of a customer file")
        verbose_name_plural = _("rows of customer files")
        ordering = ["file", "number"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="customer_file_row_numbered_once")]
        indexes = [models.Index(fields=["file", "number"], condition=Q(verdict="bad"), name="customer_file_row_bad")]

    def __str__(self) -> str:
        return f"{self.file} · {self.number}"
