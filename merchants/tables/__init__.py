"""Tables that people send and take away: CSV and XLSX, read and written row by row, whatever their size."""

from merchants.tables.reading import MOST_ROWS, TableError, rows_of

__all__ = ["MOST_ROWS", "TableError", "rows_of"]
