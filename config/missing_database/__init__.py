"""Stands in for the database when none is named and the embedded one does not run."""
