"""Django's own admin of the same tables, as it comes: the floor of `tests.bench.pages`."""
