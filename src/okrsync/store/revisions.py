"""The states that the tables were in, by name."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Oldest first; the scripts stand in migrations/versions. Listed here so that a new database and an up-to-date one are
opened without loading Alembic."""
