"""The demo data of `make run`: a merchant to try everything on, with the sandbox in dfire's place.

`document` is a provisioning file as data, `loading` brings it about once and leaves later changes alone.
"""
