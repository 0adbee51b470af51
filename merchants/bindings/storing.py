"""An uploaded customer file between the request that brought it and the worker that reads it: in the database, packed
and sealed (FIELD_ENCRYPTION_KEYS) piece by piece, so that any worker has it, and a dump alone opens nothing of it."""

import tempfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from merchants.models import CustomerFile, CustomerFilePart

_PART = 4 << 20  # bytes that are held at once
_IN_MEMORY = 4 << 20


def keep(file: CustomerFile, source: IO[bytes]) -> int:
    """Keep the bytes of a file from their beginning.

    Returns:
        How many there are.
    """
    size = number = 0
    source.seek(0)
    while piece := source.read(_PART):
        content = b64encode(zlib.compress(piece, 1)).decode()
        CustomerFilePart.objects.create(file=file, number=number, content=content)
        size, number = size + len(piece), number + 1
    return size


@contextmanager
def opened(file: CustomerFile) -> Iterator[IO[bytes]]:
    """The kept bytes as a file that can be read anywhere; on disk it has no name, and ends with the process at the
    latest."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
        for part in CustomerFilePart.objects.filter(file=file).order_by("number").iterator(chunk_size=1):
            whole.write(zlib.decompress(b64decode(part.content)))
        whole.seek(0)
        yield whole


def thrown_away(file: CustomerFile) -> None:
    """Nobody needs the file as it came any more."""
    CustomerFilePart.objects.filter(file=file).delete()
