"""The store: SQLAlchemy Core tables, migrations and the repository behind `domain.storage.Store`.

SQLite and PostgreSQL run the same code; every database error leaves as StoreError.
What does not belong here: judging (linking, findings, planning), reading trackers, the shrink guard.
"""

from .repository import open_store

__all__ = ["open_store"]
