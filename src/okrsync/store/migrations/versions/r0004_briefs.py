"""What is asked of all items stands beside their JSON, so that a look at all of them need not read that. A later
revision fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("items", sa.Column("brief", sa.LargeBinary()))
