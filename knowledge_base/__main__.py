"""``python -m knowledge_base --centre guangzhou --target DIR``: checks the content and puts it in force."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from knowledge_base.errors import KnowledgeError
from knowledge_base.publish import publish

PROGRESS = "… "
"""Begins a line that says what is being done."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--centre", required=True)
    parser.add_argument("--target", required=True, type=Path)
    parser.add_argument("--use-only", action="store_true", help="the small embedding alone")
    options = parser.parse_args()
    try:
        published = publish(
            Path(__file__).parent,
            centre=options.centre,
            target=options.target,
            use_only=options.use_only,
            report=lambda line: print(f"{PROGRESS}{line}", flush=True),  # noqa: T201 - read by whoever started this
        )
    except KnowledgeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    figures = " ".join(f"{name}={value:.3f}" for name, value in sorted(published.metrics.items()))
    sys.stdout.write(f"{published.version} {figures}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
