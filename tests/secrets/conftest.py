"""The people of tests/people, who have secrets of their own."""

from tests.people.conftest import _quick_passwords, administrator, browser, member, root, world

__all__ = ["_quick_passwords", "administrator", "browser", "member", "root", "world"]
