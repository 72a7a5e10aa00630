"""Items, where they were read from, and the runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "items",
        sa.Column("uid", Key, primary_key=True, nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("connector", Key, nullable=False),
        sa.Column("slice", Key, nullable=False),
        sa.Column("container", Key, nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("chased", sa.Boolean(), nullable=False),
        sa.Column("tombstoned_at", Moment),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("read_at", Moment, nullable=False),
        sa.Column("moved_at", Moment, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
    )
    live = sa.text("tombstoned_at IS NULL")
    op.create_index("ix_items_live_id", "items", ["id"], unique=True, sqlite_where=live, postgresql_where=live)
    op.create_index("ix_items_connector_slice", "items", ["connector", "slice"])
    op.create_table(
        "aliases",
        sa.Column("alias", Key, primary_key=True, nullable=False),
        sa.Column("uid", Key, sa.ForeignKey("items.uid"), nullable=False),
    )
    op.create_index("ix_aliases_uid", "aliases", ["uid"])
    op.create_table(
        "slices",
        sa.Column("connector", Key, primary_key=True, nullable=False),
        sa.Column("slice", Key, primary_key=True, nullable=False),
        sa.Column("watermark", sa.Text()),
        sa.Column("resume", sa.Text()),
        sa.Column("swept_at", Moment),
    )
    op.create_table(
        "unreachable",
        sa.Column("id", Key, primary_key=True, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("key", Key, primary_key=True, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", Key, primary_key=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
    )
