"""The small world of tests/admin, and what the trail has of it."""

from typing import Any

from merchants.models import AuditEntry
from tests.admin.conftest import administrator, browser, lili, root, staff, world
from tests.people.conftest import member

__all__ = ["administrator", "browser", "lili", "member", "root", "staff", "world"]


def last(row: Any) -> AuditEntry:
    """The latest entry about a row."""
    return entries(row)[-1]


def entries(row: Any) -> list[AuditEntry]:
    """All entries about a row, oldest first."""
    return list(AuditEntry.objects.filter(kind=row._meta.label_lower, object_id=str(row.pk)).order_by("pk"))
