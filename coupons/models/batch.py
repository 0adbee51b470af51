"""One thing done to many coupons in the background: issuing to the customers of a file, or taking back what is out.

A batch is worked in slices. A slice's coupons and the batch's `position` are committed together, so that whatever is
killed in between, nobody gets two and nobody is passed over.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.choices import BatchKind, BatchState
from coupons.models.template import CouponTemplate
from merchants.models import Customer, Merchant


class Batch(models.Model):
    """What is done, how far it is, and who wanted it.

    `position` is the number of the last row that has been worked (issue), or the key of the last coupon (recall).
    `total` counts what is to be done, `done` what has been, `refused` what could not be, `bad` the rows of the file
    that the check had turned down.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=BatchKind.choices, default=BatchKind.ISSUE)
    state = models.CharField(_("state"), max_length=10, choices=BatchState.choices, default=BatchState.CHECKING)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+")
    template = models.ForeignKey(CouponTemplate, models.CASCADE, verbose_name=_("template"), related_name="batches")
    recalls = models.ForeignKey(
        "self",
        models.CASCADE,
        verbose_name=_("recalls the batch"),
        null=True,
        blank=True,
        related_name="recalls_of_it",
        help_text=_("None = everything of the template that is out."),
    )
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    total = models.PositiveIntegerField(_("to do"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    bad = models.PositiveIntegerField(_("bad rows"), default=0)
    position = models.BigIntegerField(default=0, editable=False)
    problem = models.CharField(_("what is the matter"), max_length=300, blank=True, default="")
    summary = models.JSONField(_("what the check found"), default=dict, blank=True, editable=False)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        permissions = [
            ("issue_batch", _("Can issue to many")),
            ("recall_batch", _("Can recall batches")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=BatchKind.values), name="batch_kind_known"),
            models.CheckConstraint(condition=Q(state__in=BatchState.values), name="batch_state_known"),
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="batch_of_merchant"),
            models.Index(
                fields=["id"], condition=Q(state__in=[BatchState.CHECKING, BatchState.RUNNING]), name="batch_at_work"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class BatchRow(models.Model):
    """One row of the file: whom staff named, the customer found (or made), and why it was turned down if it was."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(_("row"))
    text = models.CharField(_("customer as typed"), max_length=128, blank=True, default="")
    customer = models.ForeignKey(Customer, models.PROTECT, verbose_name=_("customer"), null=True, related_name="+")
    problem = models.CharField(_("reason"), max_length=40, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("row of a batch")
        verbose_name_plural = _("rows of batches")
        ordering = ["batch", "number"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="batch_row_numbered_once")]
        indexes = [models.Index(fields=["batch", "number"], condition=~Q(problem=""), name="batch_row_turned_down")]

    def __str__(self) -> str:
        return f"{self.batch} · {self.number}"
