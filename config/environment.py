"""Reads the environment into typed values, so that a wrong or missing one is an error that names its variable.

`config.settings` is the only caller: it decides what each value means, this module only how it is read.
"""

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from environ import Env

env = Env()

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRUE = {"1", "true", "yes", "on", "y", "t", "ok"}
_FALSE = {"0", "false", "no", "off", "n", "f", ""}


def text(name: str, *, default: str | None = None) -> str:
    """The variable as text. Without a default it is required."""
    value = env.str(name, default=default or "").strip()
    if not value and default is None:
        raise ImproperlyConfigured(f"{name}: this environment variable is required and not set.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """A switch: on/off, true/false, yes/no, 1/0."""
    raw = env.str(name, default="on" if default else "off").strip().lower()
    if raw in _TRUE:
        return True
    if raw in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}: {raw!r} is not a switch; use on or off.")


def whole_number(name: str, *, default: int, smallest: int = 0) -> int:
    """A whole number of at least `smallest`."""
    raw = env.str(name, default=str(default)).strip()
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}: {raw!r} is not a whole number.") from None
    if value < smallest:
        raise ImproperlyConfigured(f"{name}: {value} is below {smallest}.")
    return value


def words(name: str, *, required: bool = False) -> list[str]:
    """A comma-separated list; blanks around the words do not count."""
    raw = text(name) if required else text(name, default="")
    return [word.strip() for word in raw.split(",") if word.strip()]


def choice(name: str, among: tuple[str, ...], *, default: str) -> str:
    """One word of a few."""
    value = text(name, default="").lower() or default
    if value not in among:
        raise ImproperlyConfigured(f"{name}: {value!r} is none of: {', '.join(among)}.")
    return value


def folder(name: str, *, default: Path) -> Path:
    """A folder that this process can write to; made if it is missing."""
    path = Path(text(name, default=str(default)))
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {path} cannot be made ({error.strerror}).") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name}: this user cannot write to {path}.")
    return path


def networks(name: str) -> list[Network]:
    """A comma-separated list of addresses or networks (`10.0.0.0/8`)."""
    try:
        return [ipaddress.ip_network(word, strict=False) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def fernet_keys(name: str) -> list[str]:
    """Fernet keys, newest first: the first encrypts, all decrypt."""
    keys = words(name, required=True)
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except (ValueError, TypeError):
            raise ImproperlyConfigured(
                f"{name}: key {position} is not a Fernet key (32 random bytes as URL-safe base64)."
            ) from None
    return keys


def origins(name: str) -> list[str]:
    """Web origins with their scheme, such as `https://coupons.example.com`."""
    values = words(name)
    for value in values:
        if not value.startswith(("http://", "https://")):
            raise ImproperlyConfigured(f"{name}: {value!r} needs its scheme, such as https://{value}.")
    return values


def address(name: str) -> str:
    """An http or https address without a slash at its end; "" where it is not set."""
    value = text(name, default="").rstrip("/")
    if value and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
        raise ImproperlyConfigured(f"{name}: {value!r} is not an address, such as https://coupons.example.com.")
    return value


def database(name: str, url: str) -> dict[str, object]:
    """Django's settings for the PostgreSQL behind a `postgresql://` address; `name` is the variable it came from."""
    try:
        parsed = dict(Env.db_url_config(url))
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name}: not a database address ({type(error).__name__}).") from None
    if parsed.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name}: the portal needs PostgreSQL (postgresql://user:password@host/name).")
    return parsed


def redis_url(name: str) -> str:
    """A `redis://` or `rediss://` address."""
    value = text(name)
    if not value.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured(f"{name}: not a Redis address (redis://host:6379/0).")
    return value
