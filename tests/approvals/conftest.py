"""The small world of tests/admin, with limits so low that everything waits."""

from tests.admin.conftest import administrator, browser, lili, root, staff, world

__all__ = ["administrator", "browser", "lili", "root", "staff", "world"]
