"""The merchants application."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MerchantsConfig(AppConfig):
    """Registers the application under its Chinese and English name."""

    name = "merchants"
    verbose_name = _("Merchants")

    def ready(self) -> None:
        """Keep the roles' groups as `merchants.roles` says, show their names in the reader's language, and tell the
        audit trail's triggers who acts."""
        from django.contrib.auth.models import Group

        from merchants import roles, sessions  # noqa: F401  (listens for sign-ins)
        from merchants.audit import watching, who

        watching.watch(**watching.OURS)
        connection_created.connect(who.listen, dispatch_uid="merchants.audit")

        post_migrate.connect(roles.sync_after_migrate, sender=self, dispatch_uid="merchants.roles")
        Group.add_to_class("__str__", roles.title_of)
