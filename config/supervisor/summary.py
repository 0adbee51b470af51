"""What `make run` prints when everything answers: where to go, how to sign in, how to stop."""

from pathlib import Path

from config.embedded.state import read_json
from config.supervisor.environment import Addresses


def text(where: Addresses, *, login: Path, data: str, logs: Path, sandbox: bool) -> str:
    """The summary. `login` is the file with the administrator's first password, `data` a few words."""
    lines = ["", "The coupon portal runs.", "", f"  Portal        {where.portal}/admin/"]
    first = read_json(login)
    if first:
        lines.append(f"    sign in as  {first.get('username')}")
        lines.append(f"    password    {first.get('password')}    (the first one; change it after signing in)")
    if sandbox:
        lines += [
            f"  Till          {where.sandbox}/till        (dfire sandbox: redeem a coupon as a shop would)",
            f"  Platform      {where.sandbox}/platform    (smart-coupon platform: push a coupon as it would)",
        ]
    lines += [
        "",
        f"  Data          {data}",
        f"  Logs          {logs}",
        '  Commands      make manage ARGS="provision FILE.json"',
        "  Stop          Ctrl-C; the next make run goes on with the same data",
        "",
    ]
    return "\n".join(lines)
