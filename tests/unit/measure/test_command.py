from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hotline.errors import ConfigError
from tests.measure import command, measuring, questions, report, words
from tests.measure.command import app
from tests.measure.conversations import Conversation, Turn


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small golden set, foreign questions and conversations instead of the shipped ones."""
    golden = [
        {"q": "租房每个月能取几多钱", "entries": ["withdraw-rent/amount"], "style": "short"},
        {"q": "我爸退休了，2000块公积金怎么拿", "entries": ["withdraw-retire/overview"], "style": "second_hand"},
        {"q": "首套利率是几个点", "entries": ["loan-rate/overview", "loan-rate/gone"], "style": "short"},
    ]
    file, foreign = tmp_path / "golden.jsonl", tmp_path / "foreign.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in golden), encoding="utf-8")
    foreign.write_text(json.dumps({"q": "社保断缴了能补吗", "kind": "social_insurance"}), encoding="utf-8")
    written = [
        Conversation(name="good: a", turns=(Turn(user="租房一个月能取多少", entries=("withdraw-rent/amount",)),)),
        Conversation(name="bad: b", turns=(Turn(user="租房一个月能取多少", entries=("loan-rate/overview",)),)),
    ]
    monkeypatch.setattr(questions.outside, "__defaults__", (foreign,))
    monkeypatch.setattr(measuring.conversations, "conversations", lambda: written)
    monkeypatch.setattr(words, "cut", lambda texts: [list(text) for text in texts])
    return file


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--as-of", "2026-11-25"])


def test_everything_is_measured_in_one_run_and_can_be_read_by_a_program(target: Path, asked: Path) -> None:
    result = run(str(asked), "--knowledge", str(target), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found["systems"]) == {"ours", *(kind.name for kind in measuring.BASELINES)}
    for scores in found["systems"].values():
        assert scores["all"]["n"] == 3
        assert set(scores["styles"]) == {"short", "second_hand"}
        assert 0 <= scores["outside_rejected"] <= 1
    assert found["systems"]["ours"]["outside_rejected"] == 1.0
    assert sum(each["n"] for each in found["reliability"]["bins"]) == 3
    assert set(found["noise"]) == {"homophones", "dropped", "traditional", "spoken_numbers"}
    assert found["noise"]["spoken_numbers"]["changed"] == 1
    assert found["conversations"]["in_process"]["share"] == 0.5
    assert found["conversations"]["in_process"]["failures"][0]["conversation"] == "bad: b"
    assert found["unknown_labels"] == ["loan-rate/gone"]
    assert any("--diet" in line for line in found["left_out"])


def test_people_read_tables_and_failing_turns_where_they_ask_for_them(target: Path, asked: Path) -> None:
    result = run(str(asked), "--knowledge", str(target), "--show", "--skip", "noise", "--skip", "baselines")
    assert result.exit_code == 0, result.output
    for text in ("entry top-1", "calibration error", "1 of 2 all right (50.0%)", "failing turns", "bad: b"):
        assert text in result.stdout
    assert "left out: noise (skipped)" in result.stdout
    assert "edit ratio" not in result.stdout


def test_citizens_questions_are_measured_by_topic_alone_or_beside_golden_ones(target: Path, asked: Path) -> None:
    file = asked.with_name("citizens.jsonl")
    line = {"q": "租房每月能取多少", "topic": "提取-租房", "also": []}
    file.write_text(json.dumps(line), encoding="utf-8")
    alone = run("--set", "topics", str(file), "--knowledge", str(target), "--json", "--skip", "baselines")
    beside = run(
        str(asked),
        "--topics",
        str(file),
        "--knowledge",
        str(target),
        "--json",
        "--skip",
        "noise",
        "--skip",
        "baselines",
    )
    for result, n in ((alone, None), (beside, 3)):
        assert result.exit_code == 0, result.output
        ours = json.loads(result.stdout)["systems"]["ours"]
        assert ours["citizens"] == {"n": 1, "top1": 1.0, "top3": 1.0}
        assert (ours["all"] or {}).get("n") == n


def test_a_baseline_that_cannot_be_had_is_left_out_and_why_is_said(
    target: Path, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ConfigError("jieba is away")

    monkeypatch.setattr(measuring, "BASELINES", (missing_kind(missing), *measuring.BASELINES[1:]))
    result = run(str(asked), "--knowledge", str(target), "--json", "--skip", "noise", "--skip", "conversations")
    found = json.loads(result.stdout)
    assert "BM25: jieba is away" in found["left_out"]
    assert "BM25" not in found["systems"]


def missing_kind(fails: Any) -> Any:
    return type("Missing", (), {"name": "BM25", "__init__": fails})


def test_nothing_published_is_one_sentence_and_exit_code_1(tmp_path: Path, asked: Path) -> None:
    result = run(str(asked), "--knowledge", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "run `hotline train`" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl"], "cannot read"),
        (["--set", "topics"], "needs one FILE.jsonl"),
        (["--set", "topics", "a.jsonl", "b.jsonl"], "needs one FILE.jsonl"),
        (["--set", "topics", "a.jsonl", "--topics", "b.jsonl"], "needs one FILE.jsonl"),
    ],
)
def test_wrong_wishes_are_one_sentence_before_anything_is_loaded(
    arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring.Published, "open", lambda _: pytest.fail("loaded"))
    result = run(*arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_ctrl_c_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.measuring, "measure", interrupted)
    result = run()
    assert result.exit_code == 130
    assert "stopped" in result.stderr


def test_no_loss_has_no_minus_sign() -> None:
    spoiled = measuring.Spoiled(changed=1, n=2, top1={"ours": 0.5}, lost={"ours": 0.0})
    made = measuring.Report(
        knowledge={}, outside_n=0, systems={"ours": measuring.GoldenScores()}, reliability=None, confusions=[],
        unknown_labels=[], noise={"dropped": spoiled}, conversations={}, speed=None, left_out=[],
    )  # fmt: skip
    assert "50.0% (+0.0)" in report_text(made)


def report_text(made: measuring.Report) -> str:
    return command.plain(160, report.tables(made, show=False))
