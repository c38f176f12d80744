from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hotline import learn_cli
from hotline.domain.clock import utc_now
from hotline.domain.messages import Outcome
from hotline.learning_store import CaseState
from hotline.settings import get_settings
from hotline.storage.database import Database
from hotline.storage.last_report import LastReport
from hotline.storage.migrate import migrate
from knowledge_base.embed import Embedder
from knowledge_base.loader import load
from tests.learning_kit import Asked

T = TypeVar("T")

DEPOSIT = ["租房押金可以用公积金交吗", "租房的押金能用公积金付吗", "房子押金能不能用公积金"]


class Desk:
    """An editor at a terminal."""

    def __init__(self, state: Path, content: Path) -> None:
        self.url = f"sqlite+aiosqlite:///{state / 'hotline.db'}"
        self.content = content

    def run(self, *words: str) -> Result:
        """Ends with exit code 0."""
        result = CliRunner().invoke(learn_cli.app, list(words))
        assert result.exit_code == 0, result.output
        return result

    def refused(self, *words: str) -> str:
        """Ends with exit code 1 and one message."""
        result = CliRunner().invoke(learn_cli.app, list(words))
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("hotline: ")
        return result.stderr

    def report(self, *words: str) -> list[dict[str, object]]:
        return list(json.loads(self.run("report", "--json", *words).stdout))

    def asked(self, work: Callable[[Asked], Awaitable[T]]) -> T:
        async def run() -> T:
            asked = Asked(self.url, Database(self.url), now=utc_now() - timedelta(days=1))
            try:
                return await work(asked)
            finally:
                await asked.database.close()

        return asyncio.run(run())


@pytest.fixture
def desk(
    tmp_path: Path, content: Path, target: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    state = tmp_path / "state"
    state.mkdir()
    (state / "knowledge").symlink_to(target)
    monkeypatch.setenv("GJJ_STATE_DIR", str(state))
    monkeypatch.setenv("GJJ_USE_ONLY", "true")
    monkeypatch.setenv("LOGNAME", "editor")
    monkeypatch.setattr(learn_cli, "_small_embedder", lambda: embedder)
    get_settings.cache_clear()
    made = Desk(state, content)
    migrate(made.url)
    yield made
    get_settings.cache_clear()


async def people_ask(asked: Asked) -> list[int]:
    """Three about deposits, one of them to be recorded; one about singing; one that was answered well."""
    cases = [await asked.turn(text, outcome=Outcome.CLARIFIED, who=f"d{at}") for at, text in enumerate(DEPOSIT)]
    await asked.turn("帮我记下来", "leave_question", who="d1")
    cases.append(await asked.turn("你会唱歌吗", "fallback", Outcome.CLARIFIED, who="s"))
    await asked.turn("租房能提吗", entry="withdraw-rent/overview", who="h")
    return cases


def in_content(desk: Desk, text: str) -> bool:
    matters = load(desk.content, centre="guangzhou").matters.values()
    return any(text in aspect.questions for matter in matters for aspect in matter.aspects.values())


def test_the_report_puts_alike_questions_together_with_their_nearest_entries(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    first, second = desk.report()
    assert first["size"] == 3
    assert first["title"] in DEPOSIT
    assert first["reasons"] == {"to_record": 1, "unanswered": 2} or first["reasons"] == {
        "unanswered": 2,
        "to_record": 1,
    }
    assert sorted(sample["case"] for sample in first["samples"]) == cases[:3]  # type: ignore[attr-defined]
    assert len(first["nearest"]) == 3  # type: ignore[arg-type]
    assert first["nearest"][0]["entry"].startswith("withdraw-rent/")  # type: ignore[index]
    assert second["title"] == "你会唱歌吗"


def test_the_report_is_readable_without_json(desk: Desk) -> None:
    desk.asked(people_ask)
    result = desk.run("report", "--limit", "1")
    assert "asked 3 times" in result.stdout
    assert "1 to record" in result.stdout
    assert "near" in result.stdout
    assert "唱歌" not in result.stdout
    assert "4 cases in 2 groups, 1 shown" in result.stderr


def test_a_report_of_nothing_says_so(desk: Desk) -> None:
    assert "0 cases in 0 groups" in desk.run("report").stderr
    assert desk.report() == []


def test_only_the_days_asked_for_are_reported(desk: Desk) -> None:
    async def long_ago(asked: Asked) -> int:
        asked.now -= timedelta(days=10)
        return await asked.turn("押金", outcome=Outcome.CLARIFIED)

    desk.asked(long_ago)
    assert desk.report("--days", "7") == []
    assert len(desk.report("--days", "20")) == 1


def test_adding_a_case_writes_its_words_and_settles_its_group(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    desk.report()
    result = desk.run("add", str(cases[2]), "withdraw-rent/overview", "--content", str(desk.content))
    assert "3 cases are added" in result.stderr
    assert "hotline train" in result.stderr
    assert in_content(desk, DEPOSIT[2])
    assert [group["title"] for group in desk.report()] == ["你会唱歌吗"]
    decided = desk.asked(lambda asked: asked.learning.decisions(cases))
    assert {each.inbox_id for each in decided} == set(cases[:3])
    assert {each.decision.entry for each in decided} == {"withdraw-rent/overview"}
    assert {each.decision.by for each in decided} == {"editor"}


def test_other_words_may_be_written_for_a_case(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    desk.report()
    desk.run(
        "add",
        str(cases[0]),
        "withdraw-rent/overview",
        "--as",
        "押金能提吗",
        "--by",
        "li",
        "--content",
        str(desk.content),
    )
    assert in_content(desk, "押金能提吗")
    assert not in_content(desk, DEPOSIT[0])
    assert desk.asked(lambda asked: asked.learning.decisions(cases))[0].decision.by == "li"


def test_words_that_nobody_reported_can_be_added_and_settle_the_cases_of_these_words(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    command = ("add", DEPOSIT[0] + "？", "withdraw-rent/overview", "--content", str(desk.content))
    assert "1 cases are added" in desk.run(*command).stderr
    assert [each.inbox_id for each in desk.asked(lambda asked: asked.learning.decisions(cases))] == cases[:1]


def test_a_refused_phrasing_leaves_the_cases_open(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    desk.report()
    content = ("--content", str(desk.content))
    assert "no matter" in desk.refused("add", str(cases[0]), "nothing/overview", *content)
    assert "personal data" in desk.refused("add", "打13800138000", "withdraw-rent/overview", *content)
    assert "does not name an entry" in desk.refused("add", str(cases[0]), "withdraw-rent", *content)
    assert desk.asked(lambda asked: asked.learning.decisions(cases)) == []


def test_a_number_that_no_report_showed_is_refused(desk: Desk) -> None:
    desk.asked(people_ask)
    for command in (("add", "999", "withdraw-rent/overview"), ("dismiss", "999", "--note", "x"), ("reopen", "999")):
        assert "run `learn report` first" in desk.refused(*command)


def test_a_new_entry_begins_with_the_words_of_the_group(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    desk.report()
    result = desk.run(
        *("new", str(cases[0]), "--code", "withdraw-rent", "--aspect", "q_deposit", "--title", "押金能不能提"),
        *("--content", str(desk.content)),
    )
    assert "3 phrasings" in result.stderr
    text = (desk.content / "drafts/withdraw-rent.q_deposit.yml").read_text(encoding="utf-8")
    assert all(f"- {words}\n" in text for words in DEPOSIT)
    decided = desk.asked(lambda asked: asked.learning.decisions(cases))
    assert {(each.decision.entry, each.decision.note) for each in decided} == {("withdraw-rent/q_deposit", "draft")}
    assert "needs --name" in desk.refused(
        "new", "唱首歌", "--code", "sing", "--title", "唱歌", "--content", str(desk.content)
    )


def test_a_dismissed_group_is_not_reported_again_until_it_is_reopened(desk: Desk) -> None:
    cases = desk.asked(people_ask)
    desk.report()
    assert "say why" in desk.refused("dismiss", str(cases[3]), "--note", " ")
    assert "1 cases are dismissed" in desk.run("dismiss", str(cases[3]), "--note", "闲聊").stderr
    assert (
        "0 cases are dismissed, 1 had been decided before"
        in desk.run("dismiss", str(cases[3]), "--note", "again").stderr
    )
    (decided,) = desk.asked(lambda asked: asked.learning.decisions(cases))
    assert (decided.decision.state, decided.decision.note) == (CaseState.DISMISSED, "闲聊")
    desk.run("reopen", str(cases[3]))
    assert [group["title"] for group in desk.report()][-1] == "你会唱歌吗"


def test_entries_in_demand_are_ranked_with_title_and_faults(desk: Desk) -> None:
    async def ask(asked: Asked) -> None:
        await asked.turn("租房", entry="withdraw-rent/overview", who="a")
        await asked.turn("不对", "wrong", who="a")
        await asked.turn("租房", entry="withdraw-rent/overview", who="b")
        await asked.turn("利率", entry="gone/overview", who="c")

    desk.asked(ask)
    first, second = json.loads(desk.run("hot", "--json").stdout)
    assert first["entry"] == "withdraw-rent/overview"
    assert first["title"] == "租房能不能提取公积金"
    assert (first["asked"], first["bad_share"], first["before"], first["trend"]) == (2, 0.5, 0, None)
    assert second["title"] == ""
    assert "50% bad     new  withdraw-rent/overview" in desk.run("hot").stdout


def test_a_quiet_time_is_said(desk: Desk) -> None:
    assert "nothing was answered" in desk.run("hot").stderr
    assert json.loads(desk.run("hot", "--json").stdout) == []


def test_a_database_without_the_tables_is_one_sentence(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GJJ_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    get_settings.cache_clear()
    assert "hotline migrate" in desk.refused("report")


def test_without_published_knowledge_there_is_no_report(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "state" / "knowledge").unlink()
    assert "hotline train" in desk.refused("report")


def test_a_wrong_setting_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GJJ_GATEWAY__PORT", "much")
    get_settings.cache_clear()
    result = CliRunner().invoke(learn_cli.app, ["report"])
    assert result.exit_code == 2
    assert "GJJ_GATEWAY__PORT" in result.stderr


def test_a_broken_last_report_counts_as_none(tmp_path: Path) -> None:
    last = LastReport(tmp_path / "learning" / "last.json")
    assert last.group(1) is None
    last.save([[1, 2], [3]])
    assert last.group(2) == [1, 2]
    for broken in ("{", '{"a": 1}', "[1, 2]"):
        (tmp_path / "learning" / "last.json").write_text(broken, encoding="ascii")
        assert last.group(1) is None
