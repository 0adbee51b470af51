"""That a customer asked to be forgotten: who entered it, why, and how far it is."""

import json
from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchants.models.customer import Customer
from merchants.secrets import EncryptedTextField, keyed_hashes


class Erasure(models.Model):
    """The erasure of one customer; a customer is erased once (`merchants.erasing`).

    The customer's names are kept, encrypted, until every trace of them has been found; of them only keyed hashes stay,
    and what those are made of, sealed.
    """

    customer = models.OneToOneField(Customer, models.PROTECT, verbose_name=_("customer"), related_name="erasure")
    asked_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    asked_by = models.CharField(_("by"), max_length=160, help_text=_("staff:name or command:name."))
    reason = models.CharField(_("reason"), max_length=200)
    name_hashes = ArrayField(models.CharField(max_length=64), editable=False)
    name_digests = EncryptedTextField(blank=True, default="", db_default="", editable=False)  # for the next key
    names = EncryptedTextField(blank=True, default="", editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure of a customer")
        verbose_name_plural = _("erasures of customers")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(finished_at=None) | Q(names=""), name="erasure_forgets_the_names"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(finished_at=None), name="erasure_unfinished"),
            GinIndex(fields=["name_hashes"], name="erasure_by_name"),
        ]

    def __str__(self) -> str:
        return str(self.customer)

    @staticmethod
    def keyed_columns(secrets: Mapping[str, str]) -> dict[str, Any]:
        """The columns that hang on the newest encryption key, from the plain secrets (`merchants.reencrypting`)."""
        digests = json.loads(secrets["name_digests"] or "[]")
        return {"name_hashes": sorted(keyed_hashes(one)[0] for one in digests)} if digests else {}

    def names_left(self) -> set[str]:
        """What the customer was called, until it is finished: nothing from then on."""
        return set(json.loads(self.names or "[]"))
