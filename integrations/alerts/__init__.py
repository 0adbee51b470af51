"""Alerts: incidents are opened and closed here, and told to the targets where people look.

`incidents` is the door for everyone who finds something the matter; `checks` looks by the clock.
"""
