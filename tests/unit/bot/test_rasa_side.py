"""What only Rasa's own environment can show. It takes that interpreter's start, so it counts as a stack test."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from hotline.settings import ROOT

PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not PYTHON.exists(), reason="bot/.venv is not built"),
]


def test_the_rasa_side_does_what_the_gateway_relies_on(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(PYTHON), "-m", "tests.unit.bot.rasa_checks", str(tmp_path / "rasa.db")]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["channel"] == "gateway"
    assert seen["verdicts"] == [True, True, False, False, False]
    assert seen["same"], "the quicker ways must decide as Rasa's own"
    assert seen["survived"] == ["user", "slot"]
    assert seen["said"] == ["sms", [{"text": "a", "custom": {"turn": {}}}]]
    assert seen["knowledge"] == [[5, 5, 5], 2, None, True, True]
    asked = [["几天到账", "rent"]]
    events = {"start": ["greet", 1.0], "proved": ["prove", 1.0], "verified": ["verify", 1.0], "text": None}
    assert seen["happened"] == events, "what a citizen types is never an event"
    assert seen["followed"] == [[asked, "rent"], [asked, None], [[], None], [[], None]]
