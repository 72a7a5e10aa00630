"""History of findings and key results; plans, approvals, the journal and dismissals."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Moment = sa.DateTime(timezone=True)
Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("code", Key, primary_key=True, nullable=False),
        sa.Column("kind", Key, primary_key=True, nullable=False),
        sa.Column("subject", Key, primary_key=True, nullable=False),
        sa.Column("opened_run", Key, sa.ForeignKey("runs.id"), primary_key=True, nullable=False),
        sa.Column("closed_run", Key, sa.ForeignKey("runs.id")),
    )
    open_ = sa.text("closed_run IS NULL")
    op.create_index("ix_findings_open", "findings", ["subject"], sqlite_where=open_, postgresql_where=open_)
    op.create_table(
        "kr_values",
        sa.Column("run", Key, sa.ForeignKey("runs.id"), primary_key=True, nullable=False),
        sa.Column("cycle", Key, primary_key=True, nullable=False),
        sa.Column("kr", Key, primary_key=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("current", sa.Float()),
        sa.Column("as_of", sa.Date()),
    )
    op.create_index("ix_kr_values_at", "kr_values", ["at"])
    op.create_table(
        "plans",
        sa.Column("checksum", Key, primary_key=True, nullable=False),
        sa.Column("run", Key, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("journal_seq", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_plans_at", "plans", ["at"])
    op.create_table(
        "approvals",
        sa.Column("checksum", Key, sa.ForeignKey("plans.checksum"), primary_key=True, nullable=False),
        sa.Column("change_key", Key, primary_key=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
        sa.Column("run", Key, nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("target", Key, nullable=False),
        sa.Column("uid", Key, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.Text()),
        sa.Column("change_key", Key, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("confirmed_at", Moment),
        sa.Column("settled_at", Moment),
        sa.Column("detail", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("uid", "change_key", "state"):
        op.create_index(f"ix_journal_{column}", "journal", [column])
    op.create_table(
        "dismissals",
        sa.Column("uid", Key, primary_key=True, nullable=False),
        sa.Column("what", Key, primary_key=True, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
    )
