"""The integrations application: connects the outbox to what happens in the lower layers."""

from django.apps import AppConfig
from django.core.signals import request_started
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    """Registers the application and its signal receivers."""

    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        """Connect the receivers: of the outbox, of consume reports, of the inbox and of drift; watch for the trail."""
        from integrations.alerts import drift  # noqa: F401
        from integrations.consume import writing  # noqa: F401
        from integrations.hooks.database import without_limits
        from integrations.inbox import receivers as _inbox  # noqa: F401  (importing connects)
        from integrations.sync import long_works, receivers  # noqa: F401
        from integrations.webhooks import receivers as _webhooks  # noqa: F401  (after those of the outbox)
        from integrations.webhooks import switching  # noqa: F401
        from merchants.audit.watching import watch

        request_started.connect(without_limits)
        watch(
            integrations_partnerapp=("id", "created_at"),
            integrations_partnerapp_merchants=(),
            integrations_apikey=("id", "created_at", "last_used_at", "digest"),
            integrations_webhookendpoint=("id",),
            integrations_alerttarget=("id", "created_at"),
            integrations_alerttarget_merchants=(),
        )
