"""The people of tests/people, who have secrets of their own."""

from tests.people.conftest import administrator, browser, member, root, world

__all__ = ["administrator", "browser", "member", "root", "world"]
