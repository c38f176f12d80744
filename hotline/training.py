"""Publishing knowledge and training Rasa, each only when what it is made from has changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hotline.errors import ConfigError
from hotline.settings import ROOT, Settings
from knowledge_base.__main__ import PROGRESS

TRAIN_LIMIT_S = 900
PUBLISH_LIMIT_S = 2400
"""A first publication embeds 35,000 phrasings: five minutes on two idle cores."""
RASA_SOURCES = ("config.yml", "data", "bot/domain", "bot/components", "bot/requirements.txt")
KNOWLEDGE_SOURCES = ("knowledge_base",)
SUFFIXES = frozenset({".yml", ".yaml", ".py", ".txt", ".json"})


@dataclass(frozen=True, slots=True)
class Made:
    """What was made and how long it took; ``seconds`` 0 and ``fresh`` False when nothing had changed."""

    name: str
    fresh: bool
    seconds: float


def train(settings: Settings, report: Callable[[str], None], *, force: bool = False) -> list[Made]:
    """Knowledge is published and the Rasa model is trained afterwards. Raises ConfigError with one sentence."""
    knowledge = _made(
        settings, "knowledge", KNOWLEDGE_SOURCES, lambda: _publish(settings, report), report=report, force=force
    )
    return [knowledge, _made(settings, "rasa", RASA_SOURCES, lambda: _rasa(settings), report=report, force=force)]


def publish(settings: Settings, report: Callable[[str], None]) -> Made:
    """Knowledge is published, changed or not; the Rasa model stays. Raises ConfigError with one sentence."""
    return _made(
        settings, "knowledge", KNOWLEDGE_SOURCES, lambda: _publish(settings, report), report=report, force=True
    )


def model_path(settings: Settings) -> Path:
    """The trained Rasa model."""
    return settings.state_dir / "models" / "hotline.tar.gz"


def _made(
    settings: Settings,
    name: str,
    sources: Iterable[str],
    make: Callable[[], None],
    *,
    report: Callable[[str], None],
    force: bool,
) -> Made:
    stamp = settings.state_dir / "made" / f"{name}.sha256"
    fingerprint = _fingerprint(sources, f"{settings.centre} {settings.use_only}")
    product = model_path(settings) if name == "rasa" else settings.knowledge_dir / "CURRENT"
    if not force and product.exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return Made(name, False, 0.0)
    report({"rasa": "training Rasa …", "knowledge": "publishing knowledge …"}[name])
    began = time.monotonic()
    make()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)
    return Made(name, True, time.monotonic() - began)


def _publish(settings: Settings, report: Callable[[str], None]) -> None:
    # A process of its own: publishing embeds thousands of phrasings and may use two threads, which a
    # process that later forks or serves must not.
    command = [sys.executable, "-m", "knowledge_base", "--centre", settings.centre]
    command += ["--target", str(settings.knowledge_dir)] + (["--use-only"] if settings.use_only else [])
    _run("publishing knowledge", command, {"OMP_NUM_THREADS": "2"}, PUBLISH_LIMIT_S, settings, report=report)


def _rasa(settings: Settings) -> None:
    python = ROOT / "bot/.venv/bin/python"
    if not python.exists():
        raise ConfigError("the Rasa environment is missing: run `make install`")
    target = model_path(settings)
    command = [str(python), "-m", "rasa", "train", "--config", "config.yml", "--domain", "bot/domain", "--data", "data"]
    command += ["--out", str(target.parent), "--fixed-model-name", "hotline"]
    env = {
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_CACHE_DIRECTORY": str(settings.state_dir / "rasa-cache"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "GJJ_KNOWLEDGE_DIR": str(settings.knowledge_dir),
        "OMP_NUM_THREADS": "1",
    }
    _run("training Rasa", command, env, TRAIN_LIMIT_S, settings)


def _run(
    what: str,
    command: list[str],
    env: dict[str, str],
    limit_s: int,
    settings: Settings,
    *,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """The command's output goes to a log; lines that say what is being done are reported as well."""
    log = settings.state_dir / "log" / f"{what.split()[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(  # noqa: S603 - our own fixed command
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        ) as running,
    ):
        late = threading.Event()

        def stop() -> None:
            late.set()
            running.kill()

        timer = threading.Timer(limit_s, stop)
        timer.start()
        try:
            for line in running.stdout or ():
                out.write(line)
                if line.startswith(PROGRESS):
                    report(f"  {line.strip()}")
            running.wait()
        finally:
            timer.cancel()
            running.kill()
    if late.is_set():
        raise ConfigError(f"{what} took longer than {limit_s} s (see {log})")
    if running.returncode != 0:
        lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        tail = "\n".join(lines[-15:])
        raise ConfigError(f"{what} failed (exit {running.returncode}, whole log in {log}):\n{tail}")


def _fingerprint(sources: Iterable[str], extra: str) -> str:
    digest = hashlib.sha256(extra.encode())
    for source in sources:
        path = ROOT / source
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES)
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
