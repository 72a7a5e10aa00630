"""What is asked of every item stands in columns of its own, and briefs are made anew: they are shorter."""

import sqlalchemy as sa
from alembic import op

from okrsync.store.encoding import decode, looked_at

revision = "0006"
down_revision = "0005"

_AT_ONCE = 1000
_ADDED = (sa.Column("target", sa.Text()), sa.Column("outline", sa.Integer()))
_items = sa.table(
    "items", *(sa.column(name) for name in ("uid", "data", "target", "outline")), sa.column("brief", sa.LargeBinary())
)


def upgrade() -> None:
    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite:
        op.drop_index("ix_items_live_brief", "items", if_exists=True)
    for column in _ADDED:
        op.add_column("items", column)
    after = ""
    page = sa.select(_items.c.uid, _items.c.data).order_by(_items.c.uid).limit(_AT_ONCE)
    names = ("target", "outline", "brief")
    fill = sa.update(_items).where(_items.c.uid == sa.bindparam("of"))
    fill = fill.values({name: sa.bindparam(f"new_{name}") for name in names})
    while rows := connection.execute(page.where(_items.c.uid > after)).all():
        made = [(uid, looked_at(decode(data))) for uid, data in rows]
        connection.execute(fill, [{"of": uid, **{f"new_{n}": new[n] for n in names}} for uid, new in made])
        after = rows[-1].uid
    if on_sqlite:
        live = sa.text("tombstoned_at IS NULL")
        columns = ["id", "chased", "target", "outline", "brief"]
        op.create_index("ix_items_live_brief", "items", columns, sqlite_where=live)
