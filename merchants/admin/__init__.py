"""The admin of merchants, shops and staff, and the pieces that the other applications' admin is built from.

`base` is what every admin class starts from; `fields`, `filters`, `badges`, `dialogs` and `masking` are its parts.
"""

from merchants.admin import merchants, sign_ins, staff, trail  # noqa: F401  (importing registers)
