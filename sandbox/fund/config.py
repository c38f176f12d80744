"""What the core system is told: the same environment variables, with the same defaults, as the application's.

They are read here a second time because the sandbox shares no code with what it tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.fund.people import MOST_PEOPLE

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class FundConfig:
    """One core system and the one client it answers."""

    host: str = "127.0.0.1"
    port: int = 8091
    state_dir: Path = ROOT / "var"
    people: int = 20_000
    """Generated people, besides the cast."""
    seed: int = 12329
    today: date | None = None
    """The day it is at the start; None: the real one."""
    check_s: float = 2.0
    """How long an application stays accepted, and as long being checked."""
    stage_s: float = 30.0
    """How long each later state lasts."""
    client_id: str = "hotline"
    secret: str = field(default="embedded-fund-secret-change-me", repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> FundConfig:
        """Empty and missing variables leave the default. Raises ValueError for what is no number, day or path, or
        more people than there are ID numbers."""
        names: dict[str, tuple[str, Any]] = {
            "host": ("GJJ_SANDBOX__HOST", str),
            "port": ("GJJ_SANDBOX__FUND_PORT", int),
            "state_dir": ("GJJ_STATE_DIR", Path),
            "people": ("GJJ_SANDBOX__FUND_PEOPLE", int),
            "today": ("GJJ_SANDBOX__FUND_TODAY", date.fromisoformat),
            "stage_s": ("GJJ_SANDBOX__FUND_STAGE_S", float),
            "client_id": ("GJJ_FUND__CLIENT_ID", str),
            "secret": ("GJJ_FUND__SECRET", str),
        }
        given = {name: read(environ[variable]) for name, (variable, read) in names.items() if environ.get(variable)}
        config = cls(**given)
        if not 0 <= config.people <= MOST_PEOPLE - 1001:
            raise ValueError("GJJ_SANDBOX__FUND_PEOPLE has to be between 0 and 160000")
        return config

    @property
    def database(self) -> Path:
        return self.state_dir / "sandbox" / "fund.db"
