"""Read-only SQL to views. Rows and the position that describes them come from one statement, so from one snapshot."""
