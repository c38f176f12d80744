"""``python -m sandbox.fund``: serves the core system until it is stopped."""

from __future__ import annotations

import os

import uvicorn

from sandbox.fund.app import create_app
from sandbox.fund.config import FundConfig


def main() -> None:
    config = FundConfig.from_env(os.environ)
    uvicorn.run(
        create_app(config),
        host=config.host,
        port=config.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
