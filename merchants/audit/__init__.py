"""The audit trail (docs/audit.md): `who` acts, `watching` what is looked at, `triggers` the database's part, and
`recording`, the one door for what is done rather than changed.
"""
