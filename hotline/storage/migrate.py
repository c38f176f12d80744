"""Brings the database to the newest schema, on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

HERE = Path(__file__).resolve().parent


def config(url: str) -> Config:
    """Alembic's configuration for ``url``; the asynchronous drivers are used as they are."""
    made = Config()
    made.set_main_option("script_location", str(HERE / "migrations"))
    made.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return made


def migrate(url: str, revision: str = "head") -> None:
    """The schema is at ``revision`` afterwards. Repeating it changes nothing."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(config(url), revision)
