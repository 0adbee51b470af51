"""The sandbox's pages, for people: overview, till, smart-coupon platform, promotions, faults.

Rendered by Django's template engine alone, without its request handling; they answer this machine only.
"""

from __future__ import annotations

from integrations.sandbox.pages.registry import Pages

__all__ = ["Pages"]
