"""What is asked of all items stands beside their JSON, so that a look at all of them need not read that."""

import sqlalchemy as sa
from alembic import op

from okrsync.store.encoding import brief, decode

revision = "0004"
down_revision = "0003"

_AT_ONCE = 1000
_items = sa.table(
    "items", sa.column("uid", sa.Text()), sa.column("data", sa.Text()), sa.column("brief", sa.LargeBinary())
)


def upgrade() -> None:
    op.add_column("items", sa.Column("brief", sa.LargeBinary()))
    connection = op.get_bind()
    after = ""
    page = sa.select(_items.c.uid, _items.c.data).order_by(_items.c.uid).limit(_AT_ONCE)
    while rows := connection.execute(page.where(_items.c.uid > after)).all():
        made = [{"of": uid, "made": brief(decode(data))} for uid, data in rows]
        fill = sa.update(_items).where(_items.c.uid == sa.bindparam("of")).values(brief=sa.bindparam("made"))
        connection.execute(fill, made)
        after = rows[-1].uid
    if connection.dialect.name == "sqlite":
        live = sa.text("tombstoned_at IS NULL")
        op.create_index("ix_items_live_brief", "items", ["id", "chased", "brief"], sqlite_where=live)
