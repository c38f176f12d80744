"""`hotline staff`, as an operator types it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hotline import staff_cli
from hotline.audit_store import ActorKind, AuditRow
from hotline.domain.clock import utc_now
from hotline.settings import get_settings
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from tests.core_kit import migrated_template

ALICE = ("alice", "--display", "林晓", "--work-no", "1001", "--role", "agent", "--group", "loan")


class Terminal:
    """An operator's, on a database of its own."""

    def __init__(self, file: Path) -> None:
        self._url = f"sqlite+aiosqlite:///{file}"

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(staff_cli.app, list(words))

    def listed(self) -> list[dict[str, object]]:
        return list(json.loads(self.types("list").stdout))

    def trail(self) -> list[AuditRow]:
        async def read() -> list[AuditRow]:
            database = Database(self._url)
            try:
                return await SqlAudit(database, clock=utc_now).rows()
            finally:
                await database.close()

        return asyncio.run(read())


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    file = Path(shutil.copy(migrated_template(), tmp_path / "hotline.db"))
    monkeypatch.setenv("GJJ_DATABASE_URL", f"sqlite+aiosqlite:///{file}")
    monkeypatch.setenv("LOGNAME", "operator")
    get_settings.cache_clear()
    yield Terminal(file)
    get_settings.cache_clear()


def test_somebody_added_is_listed_and_his_password_is_told_once(terminal: Terminal) -> None:
    added = terminal.types("add", *ALICE)
    assert added.exit_code == 0
    password = added.stdout.strip()
    assert len(password) == 19
    assert terminal.listed() == [
        {
            "name": "alice",
            "display_name": "林晓",
            "work_no": "1001",
            "extension": "",
            "roles": ["agent"],
            "groups": ["loan"],
            "state": "active",
            "second_factor": False,
            "demo": False,
        }
    ]
    rows = terminal.trail()
    assert [(row.entry.action, row.entry.actor_kind, row.entry.actor_id) for row in rows] == [
        ("staff.added", ActorKind.SYSTEM, "operator")
    ]
    assert password not in str(rows)


def test_what_an_operator_changes_is_changed_and_in_the_trail(terminal: Terminal) -> None:
    terminal.types("add", *ALICE)
    for words in (
        ("set-roles", "alice", "--role", "supervisor", "--role", "agent"),
        ("set-groups", "alice", "--group", "deposit"),
        ("set-extension", "alice", "8005"),
        ("disable", "alice"),
    ):
        assert terminal.types(*words).exit_code == 0
    [alice] = terminal.listed()
    assert (alice["roles"], alice["groups"], alice["state"]) == (["agent", "supervisor"], ["deposit"], "disabled")
    assert alice["extension"] == "8005"
    assert terminal.types("enable", "ALICE").exit_code == 0
    assert terminal.types("reset-second-factor", "alice").exit_code == 0
    assert len(terminal.types("reset-password", "alice").stdout.strip()) == 19
    assert [row.entry.action for row in terminal.trail()][1:] == [
        "staff.roles_changed",
        "staff.groups_changed",
        "staff.extension_changed",
        "staff.disabled",
        "staff.enabled",
        "staff.second_factor_reset",
        "staff.password_reset",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("disable", "mallory"), "nobody is called mallory"),
        (("add", *ALICE), "is taken"),
        (("add", "bob", *ALICE[1:]), "is taken"),
        (("add", "<b>", *ALICE[1:]), "a name is 2 to 32"),
        (("add", "bob", *ALICE[1:4], "7", *ALICE[5:], "--extension", "80a1"), "an extension is up to 8 digits"),
        (("set-extension", "alice", "123456789"), "an extension is up to 8 digits"),
        (("set-extension", "mallory", "8001"), "nobody is called mallory"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    terminal: Terminal, words: tuple[str, ...], said: str
) -> None:
    terminal.types("add", *ALICE)
    before = terminal.listed()
    result = terminal.types(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert terminal.listed() == before


def test_an_extension_is_one_members_until_it_is_taken_away(terminal: Terminal) -> None:
    bob = ("bob", "--display", "陈默", "--work-no", "1002", "--role", "agent")
    assert terminal.types("add", *ALICE, "--extension", "8001").exit_code == 0
    refused = terminal.types("add", *bob, "--extension", "8001")
    assert (refused.exit_code, "the extension is taken" in refused.stderr) == (1, True)
    assert terminal.types("add", *bob).exit_code == 0
    refused = terminal.types("set-extension", "bob", "8001")
    assert (refused.exit_code, "the extension 8001 is taken" in refused.stderr) == (1, True)
    assert terminal.types("set-extension", "alice").exit_code == 0
    assert terminal.types("set-extension", "bob", "8001").exit_code == 0
    assert [each["extension"] for each in terminal.listed()] == ["", "8001"]


def test_a_role_or_group_that_there_is_not_is_refused(terminal: Terminal) -> None:
    assert terminal.types("add", *ALICE[:-3], "king").exit_code == 2
    assert terminal.listed() == []


def test_demo_accounts_are_there_with_the_sandbox_and_refused_without(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert terminal.types("demo").exit_code == 0
    assert terminal.types("demo").exit_code == 0
    assert [each["name"] for each in terminal.listed()] == [
        *("agent1", "agent2", "auditor1", "editor1", "operator1", "reviewer1", "supervisor1")
    ]
    monkeypatch.setenv("GJJ_SANDBOX__ENABLED", "false")
    get_settings.cache_clear()
    refused = terminal.types("demo")
    assert refused.exit_code == 1
    assert "for the sandbox alone" in refused.stderr


def test_demo_telephones_are_given_unless_they_are_somebodys(terminal: Terminal) -> None:
    terminal.types("demo")
    terminal.types("set-extension", "agent1")
    terminal.types("set-extension", "supervisor1")
    terminal.types("add", *ALICE[:4], "7", *ALICE[5:], "--extension", "8001")
    assert terminal.types("demo").exit_code == 0
    found = {each["name"]: each["extension"] for each in terminal.listed() if each["extension"]}
    assert found == {"alice": "8001", "agent2": "8002", "supervisor1": "8010"}


def test_a_demo_name_that_is_somebodys_is_said(terminal: Terminal) -> None:
    terminal.types("add", "agent1", *ALICE[1:])
    assert "there is no demo account agent1" in terminal.types("demo").stderr


def test_a_database_without_the_tables_is_said_to_need_them(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GJJ_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    get_settings.cache_clear()
    result = terminal.types("list")
    assert result.exit_code == 1
    assert "needs `hotline migrate`" in result.stderr
