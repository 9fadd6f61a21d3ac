"""How Alembic reaches the store: on the connection the store opens, inside its transaction."""

from alembic import context
from sqlalchemy import create_engine

from azmdr.store.tables import METADATA


def migrate() -> None:
    """Run the migrations."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        url = context.config.get_main_option("sqlalchemy.url") or ""
        with create_engine(url).begin() as own:
            context.configure(connection=own, target_metadata=METADATA, render_as_batch=True)
            context.run_migrations()
        return
    context.configure(
        connection=connection, target_metadata=METADATA, transactional_ddl=False, render_as_batch=True
    )
    context.run_migrations()


migrate()
