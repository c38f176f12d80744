"""Chinese words by jieba, which stands in Rasa's environment: asked there in a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from hotline.errors import ConfigError
from tests.load.baseline import PYTHON

LIMIT_S = 120
_SCRIPT = """
import json, logging, sys
import jieba
jieba.setLogLevel(logging.ERROR)
json.dump([jieba.lcut(text) for text in json.load(sys.stdin)], sys.stdout)
"""


def cut(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text, blanks and signs included.

    Raises:
        ConfigError: Rasa's environment is missing or broken.
    """
    if not PYTHON.exists():
        raise ConfigError("the Rasa environment, where jieba is, is missing: run `make install`")
    command = [str(PYTHON), "-W", "ignore", "-c", _SCRIPT]
    try:
        done = subprocess.run(
            command, input=json.dumps(list(texts)), capture_output=True, text=True, timeout=LIMIT_S, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise ConfigError(f"jieba could not be asked: {type(error).__name__}") from error
    found: list[list[str]] = json.loads(done.stdout)
    return found
