"""Provisioning: merchants, accounts, customers, templates and partner apps from one file (DESIGN, "Provisioning").

`file_format` says what a file may hold, `sections` bring one entry of it about, `run` does a whole file or nothing.
"""
