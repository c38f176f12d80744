"""The action server: rasa-sdk's webhook and health routes on loopback, without telemetry or tracing."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import warnings
from typing import Any

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Sanic

import actions
from actions.knowledge import answering
from actions.turn import Turn
from hotline.logging import configure_logging
from hotline.settings import Settings, get_settings

KEEP_ALIVE_S = 75
RESPONSE_TIMEOUT_S = 5
"""Longer than Rasa waits; a hung action does not hold its connection for ever."""


class SkillExecutor(ActionExecutor):  # type: ignore[misc]  # rasa-sdk is not typed
    """Runs actions without a domain: Rasa 3.6 sends none where selective domains are on, and no digest either,
    which rasa-sdk 3.21 would refuse. No skill of ours looks at the domain."""

    def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> dict[str, Any]:
        return payload.get("domain") or {}


def executor() -> SkillExecutor:
    """Every skill's action, by its name."""
    for module in pkgutil.iter_modules(actions.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"actions.{module.name}")
    found = SkillExecutor()
    for skill in Turn.__subclasses__():
        found.register_action(skill())
    return found


def build() -> Sanic[Any, Any]:
    """The application: POST /webhook, GET /health, GET /actions."""
    app: Sanic[Any, Any] = create_app(executor(), cors_origins=[])
    app.config.KEEP_ALIVE_TIMEOUT = KEEP_ALIVE_S
    app.config.RESPONSE_TIMEOUT = RESPONSE_TIMEOUT_S
    app.config.ACCESS_LOG = False
    return app


def serve(settings: Settings) -> None:
    """Runs until it is told to stop. Knowledge is read before the first request is taken."""
    # The pair is tested together (docs/decisions); without this every call would say so on the error stream.
    warnings.filterwarnings("ignore", message="Your versions of rasa and")
    configure_logging(settings.log_level, "actions")
    logging.getLogger("sanic.root").setLevel(settings.log_level)
    answering()
    app = build()
    app.prepare(host=settings.actions.host, port=settings.actions.port, single_process=True, motd=False)
    Sanic.serve_single(primary=app)


def main() -> None:
    """``python -m actions``."""
    serve(get_settings())
