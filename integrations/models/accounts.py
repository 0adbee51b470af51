"""How it goes with a dfire account right now: its pace, and whether it has been stopped.

Apart from `merchants.DfireAccount`, because workers write it all the time and staff never do.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models import DfireAccount


class AccountState(models.Model):
    """The row that workers lock to take work for an account, which makes its limits hold across all of them."""

    account = models.OneToOneField(
        DfireAccount, models.CASCADE, verbose_name=_("dfire account"), related_name="state", primary_key=True
    )
    next_slot_at = models.DateTimeField(
        _("next call not before"), null=True, blank=True, help_text=_("Up to here the rate limit is spent.")
    )
    slowed_until = models.DateTimeField(_("slowed down until"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    stop_code = models.CharField(_("dfire's code"), max_length=50, blank=True, default="")
    stop_message = models.CharField(_("dfire's message"), max_length=500, blank=True, default="")
    stop_method = models.CharField(_("refused call"), max_length=100, blank=True, default="", db_default="")
    stop_clock_seconds = models.IntegerField(
        _("clock ahead by (seconds)"), null=True, blank=True, help_text=_("Ours, compared with dfire's answer.")
    )
    probe_at = models.DateTimeField(_("next try"), null=True, blank=True)
    last_answer_at = models.DateTimeField(_("last answer"), null=True, blank=True)

    class Meta:
        verbose_name = _("state of a dfire account")
        verbose_name_plural = _("states of dfire accounts")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.account)


class ReadsInFlight(models.Model):
    """How many calls of an account a reader has in flight besides the outbox's rows; void after `until`."""

    token = models.UUIDField(primary_key=True, editable=False)
    account = models.ForeignKey(DfireAccount, models.CASCADE, verbose_name=_("dfire account"), related_name="+")
    calls = models.PositiveIntegerField(_("calls in flight"))
    until = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("reads in flight")
        verbose_name_plural = _("reads in flight")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.account} · {self.calls}"
