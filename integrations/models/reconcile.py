"""Reconciliation with dfire: a run compares one merchant's promotions and coupons, its findings are the plan as data.

A run keeps its progress, so that a worker's death costs a page; a finding waits for a decision and is repaired through
the outbox. `integrations.reconcile` is the only writer.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import CouponTemplate, IssuedCoupon
from merchants.models import Customer, Merchant


class RunMode(models.TextChoices):
    """Whom a run asks about."""

    QUICK = "quick", _("customers at risk")
    FULL = "full", _("every customer")


class RunState(models.TextChoices):
    """How far a run is. Only a running one reads; only a planned one is repaired from."""

    RUNNING = "running", _("comparing")
    PLANNED = "planned", _("to be decided")
    NEEDS_CONFIRMATION = "confirm", _("needs confirmation")
    APPLIED = "applied", _("settled")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class RunStage(models.TextChoices):
    """What a running run compares now, in this order."""

    PROMOTIONS = "promotions", _("promotions")
    AT_RISK = "at_risk", _("customers at risk")
    REST = "rest", _("the other customers")


class Drift(models.TextChoices):
    """In what we and dfire disagree."""

    MISSING_THERE = "missing_there", _("missing at dfire")
    UNKNOWN_HERE = "unknown_here", _("at dfire, unknown here")
    REDEEMED_THERE = "redeemed_there", _("redeemed at dfire only")
    REDEEMED_HERE = "redeemed_here", _("redeemed here only")
    HOLDER_DIFFERS = "holder_differs", _("held by someone else")
    STILL_HELD = "still_held", _("over here, still held at dfire")
    UNDELIVERED_HERE = "undelivered_here", _("held at dfire, not delivered here")
    PROMOTION_DIFFERS = "promotion_differs", _("promotion reads differently")
    PROMOTION_MISSING = "promotion_missing", _("promotion missing at dfire")
    PROMOTION_UNKNOWN = "promotion_unknown", _("promotion only at dfire")


class Repair(models.TextChoices):
    """What mends a finding; where it has none, staff can only accept it."""

    DELIVER_AGAIN = "deliver_again", _("deliver it again")
    TAKE_DELIVERED = "take_delivered", _("look, and take it as delivered")
    REDEEM_HERE = "redeem_here", _("redeem it here")
    VERIFY_THERE = "verify_there", _("redeem it at dfire")
    WITHDRAW_THERE = "withdraw_there", _("take it back at dfire")
    BRING_HOME = "bring_home", _("give it back to its customer")
    SAVE_AGAIN = "save_again", _("save it again")
    IMPORT_DRAFT = "import_draft", _("import it as a draft")


class FindingState(models.TextChoices):
    """What has been decided about a finding."""

    OPEN = "open", _("open")
    QUEUED = "queued", _("to be repaired")
    REPAIRED = "repaired", _("handed over")
    IGNORED = "ignored", _("accepted")
    STALE = "stale", _("no longer so")


WITHDRAWING = (Repair.WITHDRAW_THERE, Repair.BRING_HOME)  # what these take away, a customer had at the till


class Reconciliation(models.Model):
    """One comparison of a merchant with dfire."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="reconciliations", db_index=False
    )
    mode = models.CharField(_("asks about"), max_length=10, choices=RunMode.choices)
    state = models.CharField(_("state"), max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("started by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Nobody = the nightly run."),
    )
    created_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("compared until"), null=True, blank=True)
    message = models.CharField(_("what is the matter"), max_length=500, blank=True, default="")

    # Progress: everything before `cursor` (a customer's primary key) in this stage is done.
    stage = models.CharField(_("comparing"), max_length=10, choices=RunStage.choices, default=RunStage.PROMOTIONS)
    cursor = models.BigIntegerField(default=0, editable=False)
    customers_total = models.PositiveIntegerField(_("customers to ask about"), default=0)
    customers_done = models.PositiveIntegerField(_("customers asked about"), default=0)
    lists_unread = models.PositiveIntegerField(
        _("lists dfire refused"), default=0, help_text=_("Nothing is concluded about what they would have shown.")
    )
    moving = models.PositiveIntegerField(
        _("on the move"), default=0, help_text=_("Left alone, because something was under way; the next run looks.")
    )

    # The size of the plan (`RECONCILE_MAX_WITHDRAW_PERCENT`).
    outstanding = models.PositiveIntegerField(_("outstanding at dfire"), default=0)
    withdrawals = models.PositiveIntegerField(_("the plan takes back"), default=0)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("confirmed by"),
        null=True,
        blank=True,
        related_name="+",
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    # Whose turn it is: a worker's, under a lease; else not before `resume_at`, the longest waiting first.
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    resume_at = models.DateTimeField(_("goes on"))
    tries = models.PositiveIntegerField(_("tries"), default=0, help_text=_("Failed ones since the last success."))

    class Meta:
        verbose_name = _("comparison with dfire")
        verbose_name_plural = _("comparisons with dfire")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="reconciliation_state_known"),
            models.UniqueConstraint(
                fields=["merchant"], condition=Q(state=RunState.RUNNING), name="reconciliation_one_running"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="reconciliation_of_merchant"),
            models.Index(fields=["resume_at"], condition=Q(state=RunState.RUNNING), name="reconciliation_due"),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} · {self.get_mode_display()} #{self.pk}"


class CustomerAtRisk(models.Model):
    """A customer whom a run asks about first; kept while it compares, so that nobody is asked about twice."""

    run = models.ForeignKey(Reconciliation, models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("customer at risk")
        verbose_name_plural = _("customers at risk")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "customer"], name="at_risk_once")]

    def __str__(self) -> str:
        return f"{self.run_id} · {self.customer_id}"


class Finding(models.Model):
    """One disagreement, with the repair that is suggested and what has been decided."""

    run = models.ForeignKey(
        Reconciliation, models.CASCADE, verbose_name=_("comparison with dfire"), related_name="findings", db_index=False
    )
    kind = models.CharField(_("what differs"), max_length=20, choices=Drift.choices)
    subject = models.CharField(_("coupon or promotion"), max_length=100, help_text=_("A code or a promotion ID."))
    coupon = models.ForeignKey(
        IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), null=True, blank=True, related_name="findings"
    )
    template = models.ForeignKey(
        CouponTemplate, models.SET_NULL, verbose_name=_("template"), null=True, blank=True, related_name="+"
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, verbose_name=_("customer asked about"), null=True, blank=True, related_name="+"
    )
    details = models.JSONField(_("details"), default=dict, blank=True)
    repair = models.CharField(_("suggested repair"), max_length=20, choices=Repair.choices, blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=FindingState.choices, default=FindingState.OPEN)
    message = models.CharField(_("message"), max_length=500, blank=True, default="")
    read_at = models.DateTimeField(_("asked dfire"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("decided by"),
        null=True,
        blank=True,
        related_name="+",
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["run", "kind", "subject"], name="finding_once_in_run"),
            models.CheckConstraint(condition=Q(kind__in=Drift.values), name="finding_kind_known"),
            models.CheckConstraint(condition=Q(state__in=FindingState.values), name="finding_state_known"),
        ]
        indexes = [
            models.Index(fields=["run", "state", "kind", "id"], name="finding_of_run"),
            models.Index(fields=["id"], condition=Q(state=FindingState.QUEUED), name="finding_to_repair"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.subject}"
