"""`hotline audit` and `hotline keys`, as an operator types them."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner, Result

from hotline import audit_cli, keys_cli
from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.clock import utc_now
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.privacy.hashes import LookupHash
from hotline.settings import PrivacySettings, get_settings
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.private_records import SqlDrafts

T = TypeVar("T")

NEW_KEY = base64.b64encode(bytes(range(32))).decode()
LOOK = AuditEntry(
    actor_kind=ActorKind.PERSON, actor_id="p1", action="balance.shown", subject="p1", purpose="balance", channel="web"
)


class Desk:
    """An operator's terminal on a database with one person, a draft of his and three rows in the trail."""

    def __init__(self, file: Path) -> None:
        self.file = file
        settings = PrivacySettings()
        self.cipher = FieldCipher.from_settings(settings)
        sealed = {
            name: self.cipher.seal(value, Place("persons", name, "p1"))
            for name, value in (("person_no", "P1"), ("id_number", "11010519491231002X"), ("mobile", "13800135678"))
        }
        hashes = LookupHash.from_settings(settings)
        row = ("p1", *sealed.values(), hashes.of("person_no", "P1"), hashes.of("id_number", "11010519491231002X"))
        with sqlite3.connect(file) as connection:
            connection.execute(
                "INSERT INTO persons (id, person_no, id_number, mobile, person_no_hash, id_number_hash, name_masked,"
                " registered_at) VALUES (?, ?, ?, ?, ?, ?, '王*', '2026-11-24 02:00:00.000000')",
                row,
            )
        connection.close()
        self.on_database(self._filled)

    async def _filled(self, database: Database) -> None:
        await SqlDrafts(database, cipher=self.cipher, clock=utc_now).save("p1", "rent", fields={"a": "b"}, step="s")
        for _ in range(3):
            await SqlAudit(database, clock=utc_now).record(LOOK)

    def on_database(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def run() -> T:
            database = Database(f"sqlite+aiosqlite:///{self.file}")
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.file)
        rows = [row for statement in statements for row in connection.execute(statement)]
        connection.commit()
        connection.close()
        return rows

    def audit(self, *words: str) -> Result:
        return CliRunner().invoke(audit_cli.app, list(words))

    def keys(self, *words: str) -> Result:
        return CliRunner().invoke(keys_cli.app, list(words))

    def edit_the_second_row(self) -> None:
        self.sql("DROP TRIGGER audit_log_no_update", "UPDATE audit_log SET subject = 'p2' WHERE seq = 2")


@pytest.fixture
def desk(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    file = tmp_path / "hotline.db"
    file.write_bytes(empty_database.read_bytes())
    monkeypatch.setenv("GJJ_DATABASE_URL", f"sqlite+aiosqlite:///{file}")
    monkeypatch.setenv("LOGNAME", "auditor")
    get_settings.cache_clear()
    yield Desk(file)
    get_settings.cache_clear()


def test_a_whole_trail_is_said_to_be_whole(desk: Desk) -> None:
    result = desk.audit("verify")
    assert result.exit_code == 0
    assert "whole: 3 rows" in result.stderr


def test_the_first_bad_row_is_named_and_ends_with_code_1(desk: Desk) -> None:
    desk.edit_the_second_row()
    result = desk.audit("verify", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["fault"], found["seq"], found["rows"]) == ("edited", 2, 1)


def test_a_cut_off_tail_is_found_by_the_kept_head(desk: Desk, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    assert desk.audit("verify", "--head-file", str(head)).exit_code == 0
    kept = head.read_text(encoding="ascii")
    assert json.loads(kept)["seq"] == 3
    desk.sql("DROP TRIGGER audit_log_no_delete", "DELETE FROM audit_log WHERE seq = 3")
    assert desk.audit("verify").exit_code == 0
    result = desk.audit("verify", "--head-file", str(head))
    assert result.exit_code == 1
    assert "cut_off at row 2" in result.stderr
    assert head.read_text(encoding="ascii") == kept


def test_a_file_that_is_no_head_is_refused_and_left_alone(desk: Desk, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text("[]", encoding="ascii")
    assert desk.audit("verify", "--head-file", str(head)).exit_code == 1
    assert head.read_text(encoding="ascii") == "[]"


def test_looking_at_the_trail_is_itself_written_down(desk: Desk) -> None:
    first = desk.audit("show", "--subject", "p1", "--limit", "2")
    assert first.exit_code == 0
    assert [line.split()[0] for line in first.stdout.splitlines()] == ["2", "3"]
    assert "balance.shown  by person p1  of p1  for balance  web" in first.stdout
    rows = json.loads(desk.audit("show", "--json").stdout)
    assert (rows[-1]["action"], rows[-1]["actor_id"], rows[-1]["subject"]) == ("audit.shown", "auditor", "p1")
    assert desk.audit("verify").exit_code == 0


def test_rotating_keys_seals_anew_and_is_written_down(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = PrivacySettings().keys.get_secret_value()
    monkeypatch.setenv("GJJ_PRIVACY__KEYS", f"2:{NEW_KEY},{embedded}")
    get_settings.cache_clear()
    result = desk.keys("rotate")
    assert result.exit_code == 0, result.stderr
    assert "2 rows were sealed anew" in result.stderr
    sealed = desk.sql("SELECT person_no FROM persons", "SELECT mobile FROM persons", "SELECT fields FROM drafts")
    assert all(str(value).startswith("a2.") for (value,) in sealed)
    alone = FieldCipher({2: bytes(range(32))}, cipher="aes-256-gcm")
    assert alone.open(str(sealed[0][0]), Place("persons", "person_no", "p1")) == "P1"
    assert desk.sql("SELECT action, actor_id FROM audit_log ORDER BY seq DESC LIMIT 1") == [("keys.rotated", "auditor")]
    assert "0 rows were sealed anew" in desk.keys("rotate").stderr


def test_rotating_without_the_older_key_says_what_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GJJ_PRIVACY__KEYS", f"2:{NEW_KEY}")
    get_settings.cache_clear()
    result = desk.keys("rotate")
    assert result.exit_code == 1
    assert "persons.person_no cannot be read" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_new_lookup_key_is_brought_in_by_rehash(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GJJ_PRIVACY__LOOKUP_KEY", "a new one")
    get_settings.cache_clear()
    result = desk.keys("rehash")
    assert result.exit_code == 0, result.stderr
    assert "1 persons had to be hashed anew" in result.stderr
    hashed = LookupHash(b"a new one", algorithm="sha256").of("person_no", "P1")
    assert desk.sql("SELECT person_no_hash FROM persons") == [(hashed,)]


def test_a_database_without_the_tables_is_said_in_one_sentence(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GJJ_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    get_settings.cache_clear()
    result = desk.audit("verify")
    assert result.exit_code == 1
    assert "hotline migrate" in result.stderr
