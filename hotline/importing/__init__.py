"""A service catalogue from a spreadsheet: read, checked row by row, compared, and only then written."""
