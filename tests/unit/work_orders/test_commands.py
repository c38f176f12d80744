"""`hotline orders`: lists, shows, closes, erases, and sends again what was given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner, Result

from hotline import work_orders_cli
from hotline.city_hotline import CityRefused
from hotline.domain.work_orders import WorkOrder
from hotline.settings import get_settings
from tests.work_order_kit import DONE, HE, LI, OrderKit, add_persons, build_kit, opening, sqlite_in

T = TypeVar("T")


@dataclass
class Terminal:
    """An operator's terminal, and beside it the services on the same database."""

    url: str
    folder: Path

    def orders(self, *words: str) -> Result:
        return CliRunner().invoke(work_orders_cli.app, list(words))

    def beside(self, work: Callable[[OrderKit], Awaitable[T]]) -> T:
        async def run() -> T:
            kit = build_kit(self.url, self.folder)
            try:
                return await work(kit)
            finally:
                await kit.database.close()

        return asyncio.run(run())


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    made = Terminal(asyncio.run(sqlite_in(tmp_path)), tmp_path)
    monkeypatch.setenv("GJJ_DATABASE_URL", made.url)
    monkeypatch.setenv("GJJ_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "operator-zhao")
    get_settings.cache_clear()
    made.beside(lambda kit: add_persons(kit.database))
    yield made
    get_settings.cache_clear()


def done(terminal: Terminal) -> WorkOrder:
    async def work(kit: OrderKit) -> WorkOrder:
        return await kit.concluded(await kit.open("窗口慢", person_id=HE))

    return terminal.beside(work)


def test_orders_are_listed_by_their_filters(terminal: Terminal) -> None:
    order = done(terminal)
    other = terminal.beside(lambda kit: kit.open("额度怎么算", matter="loan-amount"))
    assert [line.split()[0] for line in terminal.orders("list").stdout.splitlines()] == [other.number, order.number]
    found = json.loads(terminal.orders("list", "--state", "concluded", "--json").stdout)
    assert [(each["number"], each["state"]) for each in found] == [(order.number, "concluded")]
    assert "窗口慢" not in terminal.orders("list").stdout
    assert terminal.orders("list", "--overdue", "--type", "praise").stdout == ""


def test_an_order_is_shown_with_its_log_and_the_look_is_recorded(terminal: Terminal) -> None:
    order = done(terminal)
    shown = json.loads(terminal.orders("show", order.number).stdout)
    assert (shown["text"], [each["kind"] for each in shown["log"]][-1]) == ("窗口慢", "concluded")
    trail = terminal.beside(lambda kit: kit.trail())
    assert trail[-1] == ("operator-zhao", "work_order.shown", order.number)


def test_closing_and_erasing(terminal: Terminal) -> None:
    order = done(terminal)
    early = terminal.orders("erase", order.number, "--reason", "本人要求删除")
    assert (early.exit_code, "wrong_state" in early.stderr) == (1, True)
    assert terminal.orders("close", order.number).exit_code == 0
    assert terminal.orders("erase", order.number, "--reason", "本人要求删除").exit_code == 0
    gone = terminal.orders("show", order.number)
    assert (gone.exit_code, "not_found" in gone.stderr) == (1, True)


def test_what_was_given_up_is_listed_and_tried_again(terminal: Terminal) -> None:
    async def give_up(kit: OrderKit) -> str:
        kit.city.errors = [CityRefused("http 404")]
        delivered = await kit.services.city.deliver("C1", opening(contact=None))
        await kit.services.desk.accept(delivered.order.number, version=1, by=LI)
        await kit.until_quiet()
        return delivered.order.number

    number = terminal.beside(give_up)
    [line] = terminal.orders("undelivered").stdout.splitlines()
    assert line.split()[1:3] == [number, "city"]
    assert "http 404" in line
    assert terminal.orders("undelivered", "--again", line.split()[0]).exit_code == 0
    assert terminal.orders("undelivered").stdout == ""
    assert terminal.orders("undelivered", "--again", "999").exit_code == 1


def test_a_database_that_is_not_there_is_one_sentence(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GJJ_DATABASE_URL", f"sqlite+aiosqlite:///{terminal.folder / 'empty.db'}")
    get_settings.cache_clear()
    result = terminal.orders("list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "hotline migrate" in result.stderr
    assert str(DONE.done) not in result.stderr
