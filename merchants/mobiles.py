"""Finding mobile numbers in any text. Plain Python, because the log needs it before Django is set up."""

import re

MOBILE_IN_TEXT = re.compile(r"(?<![0-9])1[0-9]{10}(?![0-9])")
