"""The pictures of README and docs, taken of a portal of their own with the demo data: `make screenshots`."""
