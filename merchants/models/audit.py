"""Who changed what, from what to what, when and from where: appended to, never changed (triggers see to it).

Rows come from the database's own triggers on the watched tables (`merchants.audit.triggers`), so that no way of writing
goes by them, and from `merchants.audit.record`, for what is done rather than changed. No customer's data is in them.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models.merchant import Merchant


class AuditAction(models.TextChoices):
    """What an entry tells."""

    ADDED = "added", _("added")
    CHANGED = "changed", _("changed")
    REMOVED = "removed", _("removed")
    ACTED = "acted", pgettext_lazy("audit trail", "done")


class AuditEntry(models.Model):
    """One change of one object, or one thing done to it. Names are as they were then, and nothing refers to a row that
    might be removed: the entry outlives its user and its object.

    `changes` holds, by column, `[before, after]`; `true` for a secret, of which nothing is known but that it changed.
    Of a thing done it holds the details that the words in `act` name.
    """

    at = models.DateTimeField(_("time"), db_default=Now())
    actor_id = models.BigIntegerField(null=True, editable=False)
    actor = models.CharField(_("who"), max_length=150)
    via = models.CharField(_("by way of"), max_length=200, blank=True, default="")
    address = models.CharField(_("address"), max_length=64, blank=True, default="")
    request_id = models.CharField(_("request ID"), max_length=64, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=60, blank=True, default="")  # "coupons.coupontemplate"
    object_id = models.CharField(_("object's ID"), max_length=64, blank=True, default="")
    object_name = models.CharField(_("object"), max_length=200, blank=True, default="")
    # No constraint: a merchant that is removed takes no entry along.
    merchant = models.ForeignKey(
        Merchant, models.DO_NOTHING, verbose_name=_("merchant"), null=True, blank=True, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    action = models.CharField(_("action"), max_length=10, choices=AuditAction.choices)
    act = models.CharField(_("what was done"), max_length=200, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    changes = models.JSONField(_("changes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("view_whole_trail", _("Can see the audit trail of staff, accounts and keys"))]
        indexes = [
            models.Index(fields=["kind", "object_id", "-id"], name="audit_of_object"),
            models.Index(fields=["merchant", "-id"], name="audit_of_merchant"),
            models.Index(fields=["actor", "-id"], name="audit_of_actor"),
            models.Index(fields=["object_name"], name="audit_by_name", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["object_id"], name="audit_by_object_id"),
            models.Index(fields=["at", "id"], name="audit_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} · {self.object_name or self.object_id}"
