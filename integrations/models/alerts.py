"""Incidents (what is the matter, from when to when), the targets that are told of them, and each notice with its fate.

The rows are the truth: a notice that a dead broker or a killed worker left behind is found here and sent.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from merchants.models import DfireAccount, Merchant
from merchants.secrets import EncryptedTextField


class IncidentKind(models.TextChoices):
    """What can be the matter; severity, words and page of each stand in `integrations.alerts.kinds`."""

    ACCOUNT_STOPPED = "account_stopped", _("dfire account stopped")
    QUEUE_TOO_OLD = "queue_too_old", _("messages to dfire are late")
    DEAD_LETTERS = "dead_letters", _("messages to dfire failed")
    UNMATCHED_CALLBACKS = "unmatched_callbacks", _("redemptions that fit no coupon")
    DRIFT = "drift", _("dfire and the portal disagree")
    WEBHOOK_OFF = "webhook_off", _("partner webhook switched off")
    REPORTS_STOPPED = "reports_stopped", _("consume reports stopped")
    CODES_GUESSED = "codes_guessed", _("coupon codes may be guessed")


class Severity(models.IntegerChoices):
    """How bad it is. Ordered: a target is told of what reaches its least severity."""

    WARNING = 1, _("warning")
    CRITICAL = 2, _("critical")


class Incident(models.Model):
    """One thing that is the matter with one subject, open until it is over. Written by `integrations.alerts` alone."""

    kind = models.CharField(_("kind"), max_length=30, choices=IncidentKind.choices)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices)
    subject = models.CharField(max_length=100, editable=False)  # "account:5", "merchant:7": one open one of a kind
    account = models.ForeignKey(
        DfireAccount, models.CASCADE, verbose_name=_("dfire account"), null=True, blank=True, related_name="incidents"
    )
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, verbose_name=_("merchant"), null=True, blank=True, related_name="incidents"
    )
    figures = models.JSONField(_("figures"), default=dict)
    page = models.CharField(_("where to mend it"), max_length=500, blank=True, default="")
    opened_at = models.DateTimeField(_("since"))
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True)
    times = models.PositiveIntegerField(
        _("times"), default=1, help_text=_("How often it began: what comes back at once is the same incident.")
    )

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = [F("closed_at").desc(nulls_first=True), "-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(closed_at=None), name="incident_one_open_of_a_subject"
            ),
            models.CheckConstraint(condition=Q(kind__in=IncidentKind.values), name="incident_kind_known"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="incident_severity_known"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closed_at__gte=F("opened_at")), name="incident_ends_after_it_began"
            ),
        ]
        indexes = [models.Index(fields=["kind", "subject", "-id"], name="incident_of_subject")]

    def __str__(self) -> str:
        about = self.merchant or self.account
        return f"{self.get_kind_display()} · {about}" if about else self.get_kind_display()


class AlertTarget(models.Model):
    """A place where people look: an address of apprise's (email, WeCom, DingTalk, …) and what is told there."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    address = EncryptedTextField(_("address"))
    merchants = models.ManyToManyField(
        Merchant,
        verbose_name=_("merchants"),
        related_name="alert_targets",
        blank=True,
        help_text=_("None = what concerns any merchant, and what concerns none."),
    )
    least_severity = models.PositiveSmallIntegerField(
        _("least severity"), choices=Severity.choices, default=Severity.WARNING
    )
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("alert target")
        verbose_name_plural = _("alert targets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class NoticeEvent(models.TextChoices):
    """What a notice tells."""

    OPENED = "opened", _("it has begun")
    CLOSED = "closed", _("it is over")


class NoticeState(models.TextChoices):
    """Where a notice is."""

    QUEUED = "queued", _("queued")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")


class Notice(models.Model):
    """What one target is told of one incident. A worker that takes it moves `due_at` on before it sends."""

    incident = models.ForeignKey(Incident, models.CASCADE, verbose_name=_("incident"), related_name="notices")
    target = models.ForeignKey(AlertTarget, models.CASCADE, verbose_name=_("alert target"), related_name="notices")
    event = models.CharField(_("event"), max_length=10, choices=NoticeEvent.choices)
    state = models.CharField(_("state"), max_length=10, choices=NoticeState.choices, default=NoticeState.QUEUED)
    due_at = models.DateTimeField(_("not before"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    outcome = models.CharField(_("what came back"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["incident", "target", "event"], name="notice_once"),
            models.CheckConstraint(condition=Q(event__in=NoticeEvent.values), name="notice_event_known"),
            models.CheckConstraint(condition=Q(state__in=NoticeState.values), name="notice_state_known"),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state=NoticeState.QUEUED), name="notice_due")]

    def __str__(self) -> str:
        return f"{self.incident} · {self.get_event_display()}"
