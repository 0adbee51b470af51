"""Answers that the partner API has given under an `Idempotency-Key`."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.partners import PartnerApp


class ApiAnswer(models.Model):
    """The first answer to a call, given again to the same call for a day (`integrations.partner_api.idempotency`).

    The unique key makes equal calls at the same moment wait for the first. Key and body are kept as keyed hashes, the
    answer as the text that it was; `under` is the encryption key that hashed.
    """

    app = models.ForeignKey(PartnerApp, models.CASCADE, verbose_name=_("partner app"), related_name="+", db_index=False)
    method = models.CharField(_("method"), max_length=7)
    path = models.CharField(_("address"), max_length=200)
    key_hash = models.CharField(max_length=64, editable=False)
    body_hash = models.CharField(max_length=64, editable=False)
    under = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)
    status = models.PositiveSmallIntegerField(_("HTTP status"))
    answer = models.TextField(_("answer"))
    answered_at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name = _("answer of the partner API")
        verbose_name_plural = _("answers of the partner API")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["app", "method", "path", "key_hash"], name="api_answer_once"),
        ]
        indexes = [models.Index(fields=["answered_at"], name="api_answer_by_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
