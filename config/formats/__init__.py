"""How times are shown and days are typed, in both languages as everywhere in the portal. Days in sentences stay words."""

DATETIME_FORMAT = "Y-m-d H:i:s"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日"]
