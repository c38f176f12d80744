"""What the city hotline is told: the same environment variables, with the same defaults, as the application's.

They are read here a second time because the sandbox shares no code with what it tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class CityConfig:
    """Both ends' names and secrets, and where the gateway is."""

    gateway_url: str = "http://127.0.0.1:8000"
    client_id: str = "hotline-12329"
    """Whose updates are taken."""
    secret: str = field(default="embedded-city-hotline-secret-change-me", repr=False)
    own_id: str = "city-12345"
    own_secret: str = field(default="embedded-city-peer-secret-change-me", repr=False)
    timeout_s: float = 5.0
    """For one request to the gateway."""
    file: Path | None = None
    """Where the orders are kept; None: in memory alone."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> CityConfig:
        """Empty and missing variables leave the default."""
        names = {
            "gateway_url": "GJJ_GATEWAY__PUBLIC_URL",
            "client_id": "GJJ_CITY_HOTLINE__CLIENT_ID",
            "secret": "GJJ_CITY_HOTLINE__SECRET",
            "own_id": "GJJ_CITY_HOTLINE__PEER_ID",
            "own_secret": "GJJ_CITY_HOTLINE__PEER_SECRET",
        }
        given: dict[str, Any] = {name: environ[each] for name, each in names.items() if environ.get(each)}
        state_dir = Path(environ.get("GJJ_STATE_DIR") or ROOT / "var")
        return cls(**given, file=state_dir / "sandbox" / "city-hotline.json")
