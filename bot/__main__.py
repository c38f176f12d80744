"""``python -m bot run …`` is ``rasa run …`` with the embedded defaults of the variables endpoints.yml uses."""

from __future__ import annotations

import os
import sys
from pathlib import Path

STATE = Path(os.environ.get("GJJ_STATE_DIR") or "var")
HOST = os.environ.get("GJJ_ACTIONS__HOST") or "127.0.0.1"
PORT = os.environ.get("GJJ_ACTIONS__PORT") or "5055"

DEFAULTS = {
    "GJJ_ACTIONS_URL": f"http://{HOST}:{PORT}/webhook",
    "GJJ_TRACKER_DB": str(STATE / "rasa.db"),
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SANIC_WORKERS": "1",
    # Read when the first library starts OpenMP, long before the embedder could ask for it: with more threads an
    # embedding costs several times its processor time, and seconds on a busy machine.
    "OMP_NUM_THREADS": "1",
}


def main() -> None:
    """Ends with Rasa's own exit code."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    from rasa.__main__ import main as rasa

    rasa()


if __name__ == "__main__":
    sys.exit(main())
