"""axe-core, which looks for what keeps people from using a page. One file of it, fetched once from npm's registry into
`var/` and checked against its known sum; the tests put it into the pages themselves, so that no page asks for it.
"""

import base64
import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

from config.embedded.places import CHECKOUT
from config.tooling.terminal import say

VERSION = "4.14.1"
ADDRESS = f"https://registry.npmjs.org/axe-core/-/axe-core-{VERSION}.tgz"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
INSIDE = "package/axe.min.js"
SCRIPT = CHECKOUT / "var" / "tools" / f"axe-core-{VERSION}.min.js"
_SECONDS = 30
_MOST_BYTES = 20 * 1024 * 1024


def ensure(script: Path = SCRIPT, address: str = ADDRESS) -> bool:
    """Have the script at `script`. Where it cannot be fetched that is said, and stops nothing.

    Returns:
        Whether it is there.
    """
    if script.exists():
        return True
    try:
        content = _script_in(_fetched(address))
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        say(f"axe-core could not be fetched from {address} ({error}): the accessibility tests are skipped.")
        return False
    script.parent.mkdir(parents=True, exist_ok=True)
    whole = script.with_suffix(".part")
    whole.write_bytes(content)
    whole.replace(script)
    return True


def _fetched(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # nosec B310 # our own address
        archive: bytes = answer.read(_MOST_BYTES)
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != SHA512:
        raise ValueError("it is not the file that was asked for: its sum differs")
    return archive


def _script_in(archive: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as package:
        script = package.extractfile(INSIDE)
        if script is None:
            raise ValueError(f"it has no {INSIDE}")
        return script.read()
