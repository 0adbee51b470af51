"""Ports on 127.0.0.1: whether one is free, and finding one."""

import errno
import random
import socket
from contextlib import closing

# Below the range of outgoing connections' ports, so that a stopped server's port stays free.
LOWEST, HIGHEST = 15000, 29999


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now. Raises OSError for anything but 'taken'."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def free_port() -> int:
    """A port on which nothing listens now."""
    while True:
        port = random.randint(LOWEST, HIGHEST)  # nosec B311 # no secret
        if is_free(port):
            return port
