"""Checks of single values that several models and files share."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,200}\Z")


def http_address(value: str) -> None:
    """An http or https address with a host; one without dots is fine, as in a container's network.

    Raises:
        ValidationError: it is not.
    """
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not value.isprintable() or " " in value:
        raise ValidationError(_("Enter an address that begins with http:// or https://."))


def network_list(value: Any) -> None:
    """A list of addresses or networks.

    Raises:
        ValidationError: one of them is neither.
    """
    if not isinstance(value, list):
        raise ValidationError(_("Enter a list of addresses or networks."))
    for entry in value:
        try:
            ipaddress.ip_network(entry, strict=False)
        except (ValueError, TypeError):
            raise ValidationError(
                _("%(entry)s is neither an address nor a network."), params={"entry": entry}
            ) from None


def push_token(value: str) -> None:
    """A token that stands in a push address as it is.

    Raises:
        ValidationError: it would not.
    """
    if not _TOKEN.match(value):
        raise ValidationError(_("A token has letters, digits and . _ ~ - only, at most 200 of them."))
