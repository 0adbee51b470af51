"""What waits for a second person, and what each person has done alone lately.

A request keeps the numbers and terms as they were asked for. The database itself sees to it that nobody decides their
own request, that a decided one stays as it is, and that what was asked is never rewritten (migration 0014).
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.choices import ApprovalAct, ApprovalState, Lapse
from coupons.models.batch import Batch
from coupons.models.template import CouponTemplate
from merchants.models import Merchant

_DECIDED = [ApprovalState.APPROVED, ApprovalState.REFUSED]


class Approval(models.Model):
    """One act that somebody asked for and somebody else decides.

    `asked` holds the facts that the act must still find when it is approved (`coupons.approvals.facts`); `coupons` and
    `value_fen` are what it is about in numbers, None where they are not known. `begun` is the recall
    that its approval began. `template` and `batch` become None when those are deleted; `subject` keeps their name.
    """

    act = models.CharField(_("what is asked for"), max_length=10, choices=ApprovalAct.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=ApprovalState.choices, default=ApprovalState.WAITING
    )  # fmt: skip
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+")
    template = models.ForeignKey(
        CouponTemplate, models.SET_NULL, verbose_name=_("template"), null=True, related_name="approvals"
    )
    batch = models.ForeignKey(Batch, models.SET_NULL, verbose_name=_("batch"), null=True, related_name="approvals")
    begun = models.ForeignKey(Batch, models.SET_NULL, verbose_name=_("recall"), null=True, related_name="begun_by")
    subject = models.CharField(_("about"), max_length=300)
    terms_version = models.PositiveIntegerField(_("version of the terms"), null=True)
    coupons = models.PositiveIntegerField(_("coupons"), null=True)
    value_fen = models.PositiveBigIntegerField(_("value (fen)"), null=True)
    asked = models.JSONField(_("as it was asked for"), default=dict)
    chosen = models.CharField(max_length=32, default="", editable=False)  # stands for the coupons that were chosen
    reason = models.CharField(_("reason"), max_length=200)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("asked by"), related_name="+"
    )
    requested_at = models.DateTimeField(_("asked at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("lapses at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    note = models.CharField(_("note"), max_length=200, default="")
    lapse = models.CharField(_("why it lapsed"), max_length=20, choices=Lapse.choices, default="")

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(act__in=ApprovalAct.values), name="approval_act_known"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="approval_by_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.WAITING, decided_by=None, decided_at=None)
                | Q(state__in=_DECIDED, decided_by__isnull=False, decided_at__isnull=False)
                | Q(
                    state__in=[ApprovalState.WITHDRAWN, ApprovalState.LAPSED], decided_by=None, decided_at__isnull=False
                ),
                name="approval_decided_wholly",
            ),
            models.CheckConstraint(
                condition=~Q(state=ApprovalState.REFUSED) | ~Q(note=""), name="approval_refused_with_a_note"
            ),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.LAPSED, lapse__in=Lapse.values)
                | (~Q(state=ApprovalState.LAPSED) & Q(lapse="")),
                name="approval_lapsed_says_why",
            ),
            models.UniqueConstraint(
                fields=["act", "template", "batch", "chosen"],
                condition=Q(state=ApprovalState.WAITING),
                nulls_distinct=False,
                name="approval_waits_once",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="approval_of_merchant"),
            models.Index(
                fields=["merchant", "expires_at"],
                condition=Q(state=ApprovalState.WAITING),
                name="approval_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} · {self.subject}"

    @property
    def name_in_trail(self) -> str:
        """As the trigger names it."""
        return self.subject


class DoneAlone(models.Model):
    """What one member of staff has issued or taken back of a template without a second person.

    Of no use once it is older than a day; the sweep removes it then.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("by"), related_name="+", db_index=False
    )
    template = models.ForeignKey(CouponTemplate, models.CASCADE, verbose_name=_("template"), related_name="+")
    gives = models.BooleanField(_("issued"), help_text=_("Otherwise taken back."))
    coupons = models.PositiveIntegerField(_("coupons"))
    value_fen = models.PositiveBigIntegerField(_("value (fen)"))
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("done alone")
        verbose_name_plural = _("done alone")
        ordering = ["-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["user", "gives", "at"], name="done_alone_lately"),
            models.Index(fields=["at"], name="done_alone_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.template} · {self.coupons}"
