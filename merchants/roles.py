"""The four roles, and what each may do: one table, from which the groups of these names are filled at each `migrate`.

What staff change in one of these groups is put back then; who should be able to do something else gets a group of their
own besides, or single permissions. A role says what, never at which merchants: that is the merchant scope.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils.translation import gettext_lazy as _

from merchants.rights import APPROVE, EXPORT

Rights = frozenset[str]  # such as "coupons.view_issuedcoupon"


def _rights(text: str) -> Rights:
    """`app: name name …`, one application a line."""
    lines = [line.split(":") for line in text.split("\n") if line.strip()]
    return frozenset(f"{app.strip()}.{name}" for app, names in lines for name in names.split())


LOOK = _rights("""
    merchants: view_merchant view_shop view_customer view_erasure view_auditentry
    merchants: view_customerfile view_customerfilerow
    coupons: view_coupontemplate view_templateversion view_issuedcoupon view_couponevent view_reissue
    coupons: view_batch view_batchrow view_approval
    integrations: view_outboxrow view_dfirecallback view_incident view_push view_consumereport
    integrations: view_reconciliation view_finding
    integrations: view_partnerorder view_apicall view_webhookdelivery
""")
TEMPLATES = _rights(
    "coupons: add_coupontemplate change_coupontemplate delete_coupontemplate publish_coupontemplate"
)  # fmt: skip
GIVE = _rights("coupons: issue_issuedcoupon issue_batch recall_batch")
ONE_COUPON = _rights("coupons: revoke_issuedcoupon transfer_issuedcoupon reissue_issuedcoupon")
CUSTOMERS = _rights("merchants: add_customer change_customer")
FORGET = _rights("merchants: erase_customer")
MERCHANTS = _rights("merchants: change_merchant add_shop change_shop delete_shop")
REPAIR = _rights("""
    integrations: change_outboxrow change_dfirecallback change_reconciliation change_finding change_consumereport
    integrations: change_webhookdelivery
    coupons: decide_issuedcoupon
""")
TAKE_AWAY: Rights = frozenset([EXPORT])
SIGN_INS = _rights("merchants: view_signin view_failedsignin view_signinlock view_authenticator view_whole_trail")
DECIDE: Rights = frozenset([APPROVE])


@dataclass(frozen=True, slots=True)
class Role:
    """Its group's name in the database, its name on screen, what it is for. No `rights` = every one there is."""

    name: str
    title: Any
    purpose: Any
    rights: Rights | None


ADMINISTRATOR = Role(
    "Administrator", _("Administrator"), _("Everything, at every merchant: staff, accounts, keys, records."), None
)
MARKETING = Role(
    "Marketing", _("Marketing"), _("Templates, issuing and recalling, single coupons, customers."),
    LOOK | TEMPLATES | GIVE | ONE_COUPON | CUSTOMERS,
)  # fmt: skip
OPERATIONS = Role(
    "Operations", _("Operations"), _("Keeps dfire and the portal in step; shops, customers, erasures."),
    LOOK | ONE_COUPON | CUSTOMERS | FORGET | MERCHANTS | REPAIR | TAKE_AWAY | DECIDE,
)  # fmt: skip
AUDITOR = Role(
    "Auditor", _("Auditor"), _("Sees and takes away, changes nothing."), LOOK | TAKE_AWAY | SIGN_INS
)  # fmt: skip
ROLES = (ADMINISTRATOR, MARKETING, OPERATIONS, AUDITOR)
BY_NAME = {role.name: role for role in ROLES}


def title_of(group: Group) -> str:
    """The group's name on screen: a role's in the reader's language, another one as it was typed."""
    role = BY_NAME.get(group.name)
    return group.name if role is None else str(role.title)


def sync(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Give each role's group exactly the permissions of the table, making it where it is missing.

    Returns:
        The names of the roles that had others before.
    """
    by_right = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    changed = []
    with transaction.atomic(using=using):
        for role in ROLES:
            group, _made = Group.objects.using(using).get_or_create(name=role.name)
            wanted = {pk for right, pk in by_right.items() if role.rights is None or right in role.rights}
            if set(group.permissions.values_list("pk", flat=True)) != wanted:
                group.permissions.set(wanted)
                changed.append(role.name)
    return changed


def sync_after_migrate(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Django has made the permissions of new models by then (this application stands behind all others)."""
    sync(using)
