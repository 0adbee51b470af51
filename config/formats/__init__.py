"""How times are shown and days are typed, alike in both languages. Days in sentences stay in words."""

DATETIME_FORMAT = "Y-m-d H:i:s"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日"]
