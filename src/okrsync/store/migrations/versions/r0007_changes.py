"""Rows say which transaction changed them last: what did not change since need not be judged again."""

import sqlalchemy as sa
from alembic import op

from okrsync.store.changes import KEY, first_change

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("items", sa.Column("change", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_items_change", "items", ["change"])
    meta = sa.table("meta", sa.column("key"), sa.column("value"))
    op.execute(sa.insert(meta).values(key=KEY, value=first_change()))
