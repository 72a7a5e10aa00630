"""Alembic scripts: how the tables came to be, one step a file; `migrate.py` runs them.

Steps that were released are never edited. What does not belong here: anything imported by the rest of the program.
"""
