"""Tables that people send and take away: CSV and XLSX, read and written row by row, whatever their size."""

from merchants.tables.reading import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, TableError, rows_of
from merchants.tables.writing import Row, Value, csv_chunks
from merchants.tables.xlsx import MOST_XLSX_ROWS, too_many_words, xlsx_chunks

__all__ = [
    "MOST_BYTES",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "MOST_XLSX_ROWS",
    "Row",
    "TableError",
    "Value",
    "csv_chunks",
    "rows_of",
    "too_many_words",
    "xlsx_chunks",
]
