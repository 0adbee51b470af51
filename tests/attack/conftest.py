"""Whom to attack: the partner's app and merchant of tests/api, in a process that rings for no worker."""

from tests.api.conftest import _no_doorbell, api, at_once, merchant, template

__all__ = ["_no_doorbell", "api", "at_once", "merchant", "template"]
