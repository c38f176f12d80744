from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hotline.settings import Settings
from hotline.storage.migrate import migrate
from hotline.training import Made
from tests.load import our_training
from tests.load.measure import failure_sentences
from tests.load.record import last_turn, noted_since
from tests.load.stack import environment

TURN = (
    "INSERT INTO turns (inbox_id, conversation_id, outcome, intent, confidence, candidates, sources, degraded, ms,"
    " created_at) VALUES (?, 'c', ?, ?, 1, '[]', '[]', ?, ?, '2026-11-23 16:00:00')"
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "hotline.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("PRAGMA foreign_keys = OFF")
        opened.execute(TURN, (1, "answered", "ask_knowledge", False, '{"rasa": 1000}'))
        opened.execute(TURN, (2, "answered", "ask_knowledge", False, '{"rasa": 30, "turn": 40}'))
        opened.execute(TURN, (3, "clarified", "ask_knowledge", True, '{"rasa": 50, "knowledge": 8}'))
        opened.execute(TURN, (4, "rejected", "fault", False, "{}"))
    return path


def test_the_record_counts_outcomes_and_means_hops_without_the_warm_up(database: Path) -> None:
    noted = noted_since(database, 0, skip=1)
    assert noted.outcomes == {"answered": 1, "clarified": 1, "rejected": 1, "degraded": 1, "fault": 1}
    assert noted.hops_ms == {"rasa": 40.0, "turn": 40.0, "knowledge": 8.0}


def test_only_turns_after_the_given_one_are_read(database: Path) -> None:
    assert last_turn(database) == 4
    assert noted_since(database, 3, skip=0).outcomes == {"rejected": 1, "fault": 1}


def test_our_own_error_sentences_are_known_by_their_openings() -> None:
    sentences = failure_sentences()
    assert len(sentences) == 3
    assert all(len(text) > 8 and "{" not in text for text in sentences)


def test_the_processes_read_the_settings_back_from_their_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = Settings.model_validate(
        {
            "state_dir": tmp_path,
            "database_url": f"sqlite+aiosqlite:///{tmp_path / 'x.db'}",
            "log_level": "WARNING",
            "gateway": {"port": 18000, "public_url": "http://127.0.0.1:18000"},
            "rasa": {"url": "http://127.0.0.1:15005"},
            "actions": {"port": 15055},
            "sandbox": {"enabled": False},
            "wechat": {"token": "t" * 20, "aes_key": "k" * 43},
        }
    )
    for name, value in environment(wanted).items():
        monkeypatch.setenv(name, value)
    assert Settings() == wanted


def train_in(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str | None]]:
    """Training that takes 40 and 9.5 seconds and remembers where it was done and with which cache."""
    done: list[tuple[Path, str | None]] = []

    def train(settings: Settings, report: object, *, force: bool) -> list[Made]:
        assert force
        done.append((settings.state_dir, os.environ.get(our_training.RASA_CACHE)))
        return [Made("knowledge", True, 40.0), Made("rasa", True, 9.5)]

    monkeypatch.setattr("hotline.training.train", train)
    return done


def test_our_training_is_measured_from_nothing_and_known_until_a_source_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done, record, aside = train_in(monkeypatch), tmp_path / "bench" / "training.json", tmp_path / "aside"
    chosen = Settings.model_validate({"state_dir": tmp_path})
    (tmp_path / "made").mkdir()
    for part in our_training.PARTS:
        (tmp_path / "made" / f"{part}.sha256").write_text("one")
    monkeypatch.setenv(our_training.RASA_CACHE, "elsewhere")

    assert our_training.known(chosen, record) is None
    assert our_training.measured(chosen, record, lambda _: None, directory=aside).seconds == 49.5
    found = our_training.known(chosen, record)

    assert found is not None
    assert found.seconds == 49.5
    assert done == [(aside, str(aside / "cache"))]
    assert os.environ[our_training.RASA_CACHE] == "elsewhere"
    assert not aside.exists()
    (tmp_path / "made" / "knowledge.sha256").write_text("two")
    assert our_training.known(chosen, record) is None
