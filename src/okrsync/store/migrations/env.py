"""Run by Alembic: applies the scripts on the connection it is handed, inside that connection's transaction."""

from alembic import context

# SQLite's tables can be changed inside a transaction too, which Alembic does not assume
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
