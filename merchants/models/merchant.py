"""A merchant (brand) and its shops, with the ids by which dfire and the smart-coupon platform know them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Merchant(models.Model):
    """A restaurant brand whose coupons are run here."""

    merchant_id = models.CharField(
        _("merchant ID"), max_length=64, unique=True, help_text=_("As the smart-coupon platform knows it.")
    )
    name = models.CharField(_("name"), max_length=100)
    dfire_account = models.ForeignKey(
        "merchants.DfireAccount",
        models.PROTECT,
        verbose_name=_("dfire account"),
        related_name="merchants",
        null=True,
        blank=True,
    )
    entity_id = models.CharField(
        _("dfire entity ID"), max_length=64, blank=True, default="", help_text=_("The shop or the chain.")
    )
    plate_entity_id = models.CharField(
        _("dfire brand ID"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("plateEntityId; for a single shop the same as its entity ID."),
    )
    appid = models.CharField(
        "appid", max_length=64, blank=True, default="", help_text=_("The merchant's WeChat official account.")
    )

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        ordering = ["name", "merchant_id"]
        # Of the whole portal, not of merchants: they are kept apart from the rights to single pages.
        permissions = [
            ("export", _("Can take lists away as files")),
            ("issue_any_number", _("Can issue more coupons at once than the limit")),
            ("manage_accounts", _("Can change the dfire and smart-coupon accounts of their merchants")),
            ("approve", _("Can approve what others may not do alone")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(dfire_account__isnull=True) | (~Q(entity_id="") & ~Q(plate_entity_id="")),
                name="merchant_at_dfire_has_its_ids",
                violation_error_message=_("A merchant with a dfire account needs its entity ID and brand ID."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.merchant_id})"


class Shop(models.Model):
    """One restaurant of a merchant; the till there redeems."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, verbose_name=_("merchant"), related_name="shops")
    entity_id = models.CharField(_("dfire entity ID"), max_length=64)
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["merchant", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "entity_id"],
                name="shop_entity_unique_in_merchant",
                violation_error_message=_("This merchant has a shop with this entity ID already."),
            )
        ]

    def __str__(self) -> str:
        return self.name
