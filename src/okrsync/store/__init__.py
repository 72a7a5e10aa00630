"""The store: SQLAlchemy Core tables, migrations and the repository behind `domain.storage.Store`.

SQLite and PostgreSQL run the same code, but for looks at many items and what findings need of a file; every database
error leaves as StoreError. What does not belong here: judging (linking, findings, planning), reading trackers, the
shrink guard.
"""

from .file_reading import open_reading
from .opening import open_store

__all__ = ["open_reading", "open_store"]
