"""Django's own admin of the same tables, as it comes: what the portal's pages are compared with (`tests.bench.pages`)."""
