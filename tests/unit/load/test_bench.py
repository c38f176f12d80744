from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.load import bench
from tests.load.bench import WARM_UP, Wishes, _described, _plan, app
from tests.unit.load.catalogue import whole_catalogue


@pytest.fixture
def signals_kept() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def wishes(turns: int) -> Wishes:
    return Wishes(concurrency=8, turns=turns, with_baseline=True, retrain_baseline=False, questions=None)


def test_both_loads_have_the_wanted_turns_and_warm_up_with_other_questions() -> None:
    plan = _plan(whole_catalogue(), wishes(120), [])
    (warm_new, new), (warm_popular, popular) = plan.loads.values()
    assert (len(warm_new), len(new), len(warm_popular), len(popular)) == (WARM_UP, 120, WARM_UP, 120)
    assert len({*warm_new, *warm_popular, *new}) == 2 * WARM_UP + 120
    assert len(set(popular)) < 120


def test_what_was_asked_is_told_with_the_figures() -> None:
    told = _described(whole_catalogue(), wishes(50), _plan(whole_catalogue(), wishes(50), []))
    assert "8 citizens at a time, 50 turns a load" in told
    assert "Zipf with exponent 1 over" in told


@pytest.mark.usefixtures("signals_kept")
@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot read"), ("not json\n", "questions.jsonl:1: not JSON"), ("{}", "needs an object")],
)
def test_a_questions_file_that_cannot_be_used_is_one_sentence_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, told: str
) -> None:
    def train(*_: object) -> None:
        pytest.fail("trained although the run cannot be made")

    monkeypatch.setattr(bench.training, "train", train)
    file = tmp_path / "questions.jsonl"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    result = CliRunner().invoke(app, ["--questions", str(file), "--quick"])
    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("wrong", [["--turns", "0"], ["--concurrency", "0"], ["--speed"]])
def test_wrong_options_are_refused(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, wrong).exit_code == 2
