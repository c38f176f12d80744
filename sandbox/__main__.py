"""``python -m sandbox``: serves the stand-ins until it is stopped."""

from __future__ import annotations

import os

import uvicorn

from sandbox.app import create_app
from sandbox.config import SandboxConfig


def main() -> None:
    config = SandboxConfig.from_env(os.environ)
    # Open phones hold a connection for ever; they must not keep the process from ending.
    uvicorn.run(
        create_app(config), host=config.host, port=config.port, log_level="warning", timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
