"""One dfire client for each account and process, shared by all threads, so that connections are reused."""

import threading

from integrations.dfire import DfireClient
from merchants.models import DfireAccount

_Key = tuple[int, str, str, str, int, int, str]
_lock = threading.Lock()
_clients: dict[int, tuple[_Key, DfireClient]] = {}


def client_for(account: DfireAccount) -> DfireClient:
    """The account's client; a new one when staff have changed what it depends on.

    Raises:
        ValueError: an address, key or secret that cannot work.
    """
    key = (
        account.pk,
        account.base_url,
        account.app_key,
        account.app_secret,
        account.timeout_seconds,
        account.max_concurrency,
        account.transfer_method,
    )
    with _lock:
        known = _clients.get(account.pk)
        if known is not None and known[0] == key:
            return known[1]
        client = DfireClient(
            account.base_url,
            account.app_key,
            account.app_secret,
            timeout_seconds=account.timeout_seconds,
            pool_size=account.max_concurrency,
            transfer_method=account.transfer_method,
        )
        _clients[account.pk] = (key, client)
    if known is not None:
        known[1].close()  # calls under way finish on it
    return client
