"""Rasa's environment has another numpy, spaCy and pydantic; it must read what ours published."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import snapshot
from knowledge_base.published import Published

ROOT = Path(__file__).resolve().parents[3]
RASA = ROOT / "bot" / ".venv" / "bin" / "python"
TEXTS = ["租房取钱要带什么材料", "公基金退休怎么提", "今天天气怎么样", "租房提取", "佛山的贷款利率", ""]

SCRIPT = """
import json, sys
from pathlib import Path
import numpy
from knowledge_base import snapshot
from knowledge_base.published import Published
published = Published.open(Path(sys.argv[1]))
texts = json.loads(sys.argv[2])
print(json.dumps({
    "numpy": numpy.__version__,
    "catalogue": snapshot.to_json(published.catalogue),
    "matches": [published.matcher.match(text).to_dict() for text in texts],
}))
"""


@pytest.mark.skipif(not RASA.exists(), reason="Rasa's environment is not built")
def test_rasas_environment_reads_the_same_and_finds_the_same(target: Path, published: Published) -> None:
    done = subprocess.run(
        [str(RASA), "-c", SCRIPT, str(target), json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    rasas = json.loads(done.stdout)
    assert rasas["numpy"] != np.__version__
    assert rasas["catalogue"] == snapshot.to_json(published.catalogue)
    ours = json.loads(json.dumps([published.matcher.match(text).to_dict() for text in TEXTS]))
    assert _rounded(rasas["matches"]) == _rounded(ours)


def _rounded(value: object) -> object:
    """Sums in another order differ in the last digits."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 2) if isinstance(value, float) else value
