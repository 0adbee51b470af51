"""A coupon template as staff edit it, and the frozen versions of its terms under which coupons are issued."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.choices import Kind, TemplateStatus
from coupons.codes import new_coupon_id
from coupons.terms import TERM_FIELDS, Terms
from coupons.validation import term_problems
from merchants.models import Merchant, SmartCouponAccount

_MONEY_KINDS = [Kind.CASH, Kind.DISH_CASH, Kind.DISH_PRICE]
_DISCOUNT_KINDS = [Kind.DISCOUNT, Kind.DISH_DISCOUNT]


class CouponTemplate(models.Model):
    """What a merchant gives out. Money in fen; dates are Shanghai dates, both ends included."""

    coupon_id = models.CharField(_("coupon ID"), max_length=64, unique=True, default=new_coupon_id, editable=False)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="templates")
    reference = models.CharField(
        _("reference"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Your own name for it, if you need one."),
    )
    title = models.CharField(_("title"), max_length=100)
    notice = models.TextField(_("customer's notice"), blank=True, default="", max_length=1000)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.CASH)
    amount_fen = models.PositiveIntegerField(_("amount (fen)"), null=True, blank=True)
    percent_paid = models.PositiveSmallIntegerField(
        _("percent paid"), null=True, blank=True, help_text=_("90 = the customer pays 90 percent (9折).")
    )
    min_spend_fen = models.PositiveIntegerField(_("least spend (fen)"), default=0)
    menu_ids = models.JSONField(_("dish IDs"), default=list, blank=True)
    start_date = models.DateField(_("start date"))
    end_date = models.DateField(_("end date"))
    valid_days = models.PositiveIntegerField(
        _("days valid after receipt"),
        null=True,
        blank=True,
        help_text=_("1 = the day of receipt only. Empty = to the end date."),
    )
    shop_entity_ids = models.JSONField(_("shops"), default=list, blank=True, help_text=_("None = all shops."))
    use_weekdays = models.JSONField(_("weekdays"), default=list, blank=True)
    use_times = models.JSONField(_("hours"), default=list, blank=True)
    use_dates = models.JSONField(_("dates of use"), default=list, blank=True)
    blackout_dates = models.JSONField(_("excluded dates"), default=list, blank=True)
    channels = models.JSONField(_("channels"), default=list, blank=True)
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True, help_text=_("Empty = no limit."))
    per_person_limit = models.PositiveIntegerField(_("per person"), null=True, blank=True)
    per_person_daily_limit = models.PositiveIntegerField(_("per person and day"), null=True, blank=True)
    budget_fen = models.PositiveBigIntegerField(
        _("budget (fen)"), null=True, blank=True, help_text=_("Issuing stops when it is reached. Empty = no limit.")
    )
    cost_each_fen = models.PositiveIntegerField(
        _("cost of one (fen)"),
        null=True,
        blank=True,
        help_text=_("What one coupon counts in the budget where its kind does not say it, as with a discount."),
    )
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=TemplateStatus.choices,
        default=TemplateStatus.DRAFT,
        editable=False,
    )
    issued_count = models.PositiveIntegerField(_("issued"), default=0, editable=False)
    committed_fen = models.PositiveBigIntegerField(
        _("committed (fen)"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("What the coupons cost that are out or have been redeemed."),
    )
    source_account = models.ForeignKey(
        SmartCouponAccount, models.PROTECT, verbose_name=_("pushed by"), null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("coupon template")
        verbose_name_plural = _("coupon templates")
        ordering = ["-id"]
        permissions = [("publish_coupontemplate", _("Can publish, pause and end coupon templates"))]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "reference"],
                condition=~Q(reference=""),
                name="template_reference_unique_in_merchant",
                violation_error_message=_("This merchant has a template with this reference already."),
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="template_kind_known"),
            models.CheckConstraint(condition=Q(status__in=TemplateStatus.values), name="template_status_known"),
            models.CheckConstraint(
                condition=Q(kind__in=_DISCOUNT_KINDS, amount_fen=None, percent_paid__range=(1, 99))
                | Q(kind__in=_MONEY_KINDS, percent_paid=None, amount_fen__gte=100)
                # One taken over from dfire, whose list does not say it: it must be entered before it can be published.
                | Q(status=TemplateStatus.DRAFT, percent_paid=None, amount_fen=None),
                name="template_worth_fits_its_kind",
            ),
            models.CheckConstraint(condition=Q(start_date__lte=F("end_date")), name="template_dates_in_order"),
            models.CheckConstraint(condition=Q(valid_days=None) | Q(valid_days__gte=1), name="template_days_positive"),
            # The last line of the stock: no race and no mistake can issue more.
            models.CheckConstraint(
                condition=Q(stock=None) | Q(issued_count__lte=F("stock")), name="template_stock_not_exceeded"
            ),
            models.CheckConstraint(
                condition=Q(budget_fen=None) | Q(committed_fen__lte=F("budget_fen")),
                name="template_budget_not_exceeded",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what staff edit; what has been given out is counted by `coupons.counting` and is never written back."""
        if self.pk is not None and not kwargs.get("force_insert") and kwargs.get("update_fields") is None:
            kept = ("id", "issued_count", "committed_fen")
            kwargs["update_fields"] = [field.name for field in self._meta.concrete_fields if field.name not in kept]
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse terms that cannot be promised, naming each field."""
        if self.start_date is None or self.end_date is None:
            return  # the fields' own messages say so
        if problems := term_problems(self.terms()):
            raise ValidationError(problems)

    def terms(self) -> Terms:
        """The terms as they stand in the form now."""
        values: dict[str, Any] = {name: getattr(self, name) for name in TERM_FIELDS}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return Terms(**(values | lists))


class TemplateVersion(models.Model):
    """Terms as they were published. Once a coupon is issued under it, it never changes (PROTOCOLS, table of ids)."""

    template = models.ForeignKey(CouponTemplate, models.CASCADE, verbose_name=_("template"), related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    promotion_id = models.CharField(
        _("promotion ID"), max_length=64, unique=True, help_text=_("Under this ID dfire knows these terms.")
    )
    dfire_id = models.CharField(_("dfire's own ID"), max_length=100, blank=True, default="", db_index=True)
    terms_json = models.JSONField(_("terms"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    saved_at = models.DateTimeField(_("saved at dfire"), null=True, blank=True)

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        ordering = ["template", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="version_number_unique_in_template"),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id} · v{self.number}"

    @property
    def terms(self) -> Terms:
        """The frozen terms."""
        return Terms.from_json(self.terms_json)
