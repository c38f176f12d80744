"""`hotline keys`: personal numbers under new keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from hotline.audit_cli import by_operator, with_database
from hotline.console import notes, one_sentence, settings
from hotline.console import report as say

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def rotate() -> None:
    """Seal everything under the first of GJJ_PRIVACY__KEYS. Broken off, it goes on where it was; keep the older keys
    in the setting until it has ended and every process has the new one."""
    with one_sentence():
        say(f"{with_database(_rotated)} rows were sealed anew; all stand under the first key now")


@app.command()
def rehash() -> None:
    """Find persons by the present GJJ_PRIVACY__LOOKUP_KEY. Stop the gateway before and start it after: links, codes
    and locks of the last day end with the old key."""
    with one_sentence():
        say(f"{with_database(_rehashed)} persons had to be hashed anew; all are found by the present key now")


async def _rotated(database: Database, audit: SqlAudit) -> int:
    from rich.progress import Progress

    from hotline.privacy.ciphers import FieldCipher
    from hotline.storage.rotation import rotate as sealed_anew

    total = 0
    with Progress(console=notes, transient=True) as bar:
        task = bar.add_task("sealing", total=None)
        async for batch in sealed_anew(database, FieldCipher.from_settings(settings().privacy)):
            total += batch.done
            bar.update(task, description=batch.table, completed=total, total=total + batch.left)
    await audit.record(by_operator("keys.rotated", rows=total))
    return total


async def _rehashed(database: Database, audit: SqlAudit) -> int:
    from hotline.privacy.ciphers import FieldCipher
    from hotline.privacy.hashes import LookupHash
    from hotline.storage.rotation import rehash as hashed_anew

    privacy = settings().privacy
    total = await hashed_anew(database, FieldCipher.from_settings(privacy), LookupHash.from_settings(privacy))
    await audit.record(by_operator("keys.rehashed", rows=total))
    return total
