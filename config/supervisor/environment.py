"""The environment of `make run`: the user's own values first, then those of a portal for trying things out.

The keys are made once and kept in `var/run.env`, which a shell can read: `set -a; . var/run.env`.
"""

import base64
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.embedded.ports import is_free
from config.tooling.terminal import Failed

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
DEFAULTS = {"DEBUG": "off", "DFIRE_SANDBOX": "on", "REQUIRE_TWO_FACTOR": "off", "LOG_FORMAT": "console"}
MAKE_OWN = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")


@dataclass(frozen=True)
class Addresses:
    """Where the web and the sandbox listen, and how a browser on this machine reaches them."""

    host: str
    port: int
    sandbox_port: int

    @property
    def portal(self) -> str:
        """The portal's address for a browser here."""
        return f"http://{self.reachable}:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address for a browser here."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def reachable(self) -> str:
        """The web's host as it stands in an address of this machine."""
        address = ipaddress.ip_address(self.host)
        if address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "[::1]"
        return self.host if address.version == 4 else f"[{self.host}]"


def addresses(environ: Mapping[str, str]) -> Addresses:
    """HOST, PORT and SANDBOX_PORT as the user gave them. Raises Failed where one makes no sense."""
    host = environ.get("HOST") or "127.0.0.1"
    host = "127.0.0.1" if host == "localhost" else host
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise Failed(
            f"HOST={host!r} is not an IP address; 127.0.0.1 is this machine alone, 0.0.0.0 everyone."
        ) from None
    return Addresses(host, _port(environ, "PORT", 8000), _port(environ, "SANDBOX_PORT", 9100))


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise Failed(f"{name}={value!r} is not a port: a number from 1 to 65535.")
    return int(value)


def check_ports(where: Addresses, *, sandbox: bool) -> None:
    """Raise Failed where something listens already, before anything is started."""
    asked = [(where.host, where.port, "PORT")]
    if sandbox:
        asked.append(("127.0.0.1", where.sandbox_port, "SANDBOX_PORT"))
    for host, port, variable in asked:
        try:
            free = is_free(port, host)
        except OSError as error:
            raise Failed(f"Nothing can listen on {host} port {port}: {error.strerror}.") from None
        if not free:
            raise Failed(f"Port {port} is taken by another program. Take another one: make run {variable}={port + 1}")
    if sandbox and where.port == where.sandbox_port:
        raise Failed(f"PORT and SANDBOX_PORT are both {where.port}; they must differ.")


def has_sandbox(environment: Mapping[str, str]) -> bool:
    """Whether the dfire sandbox belongs to this run."""
    return environment["DFIRE_SANDBOX"].strip().lower() in ("1", "true", "yes", "on", "y", "t", "ok")


def run_environment(environ: Mapping[str, str], keys: Path, where: Addresses) -> dict[str, str]:
    """What the children are told. A variable that the user set wins; ALLOWED_HOSTS adds the user's to the
    local ones.
    """
    merged = {name: value for name, value in environ.items() if name not in MAKE_OWN}
    for name, value in (DEFAULTS | kept_keys(keys)).items():
        merged.setdefault(name, value)
    own = [word.strip() for word in environ.get("ALLOWED_HOSTS", "").split(",") if word.strip()]
    merged["ALLOWED_HOSTS"] = ",".join(dict.fromkeys([*LOCAL_HOSTS, *_named(where.host), *own]))
    merged |= {"HOST": where.host, "PORT": str(where.port), "SANDBOX_PORT": str(where.sandbox_port)}
    merged |= {"PORTAL_URL": where.portal, "SANDBOX_URL": where.sandbox, "PYTHONUNBUFFERED": "1"}
    return merged


def _named(host: str) -> list[str]:
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        return []
    return [host if address.version == 4 else f"[{host}]"]


def kept_keys(file: Path) -> dict[str, str]:
    """The secret keys of this checkout, made at the first call and readable by their owner alone."""
    if not file.exists():
        fresh = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOWED_HOSTS": ",".join(LOCAL_HOSTS),
        }
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
            output.writelines(f"{name}='{value}'\n" for name, value in fresh.items())
        new.replace(file)
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs}
