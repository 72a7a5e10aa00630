"""What changed is looked at in an index alone, on SQLite: its rows lie together with their `data`."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        columns = ["change", "id", "tombstoned_at", "chased", "target", "outline"]
        op.create_index("ix_items_change_outline", "items", columns)
        op.drop_index("ix_items_change", "items")
