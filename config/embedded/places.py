"""Where the embedded servers keep what: one folder for the data, and beside it the state, the lock and the
logs.

A `Place` is made from a `var` folder. The portal's own is `var/` of the checkout; the tests make throw-away
ones.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SYSTEM_STATE = Path("/var/lib")


@dataclass(frozen=True)
class Place:
    """A set of embedded servers, named by the `var` folder they belong to."""

    var: Path

    @property
    def control(self) -> Path:
        """The folder of the state and the lock, and of the data if the servers' account can reach it."""
        return self.var / "embedded"

    @property
    def state_file(self) -> Path:
        """What runs now, with its passwords: for the one who started it alone (0600)."""
        return self.control / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held while servers are started or stopped."""
        return self.control / "lock"

    @property
    def logs(self) -> Path:
        """The servers' own logs, begun anew at each start."""
        return self.var / "log"

    @property
    def away(self) -> Path:
        """The data folder for a root whose checkout the servers' account cannot reach."""
        short = hashlib.sha256(str(self.var).encode()).hexdigest()[:10]
        return SYSTEM_STATE / f"coupon-portal-{short}"


HERE = Place(CHECKOUT / "var")
