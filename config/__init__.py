"""The project: settings, addresses, the ways in. The only package that may import every other."""
