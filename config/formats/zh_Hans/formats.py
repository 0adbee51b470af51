"""The portal's formats in this language."""

from config.formats import DATE_INPUT_FORMATS, DATETIME_FORMAT

__all__ = ["DATETIME_FORMAT", "DATE_INPUT_FORMATS"]
