"""What the sandbox is told: the same environment variables, with the same defaults, as the application.

They are read here a second time because the sandbox shares no code with what it tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """One WeChat account and the gateway it pushes to."""

    token: str = "sandboxtoken"  # noqa: S105 - the embedded default, useless outside the sandbox
    aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    app_id: str = "wx0123456789abcdef"
    app_secret: str = "sandbox-app-secret"  # noqa: S105 - as above
    original_id: str = "gh_sandbox12329"
    gateway_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8090
    push_timeout_s: float = 5.0
    """WeChat waits that long for a passive reply."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> SandboxConfig:
        """Empty and missing variables leave the default. Raises ValueError for a port that is no number."""
        names = {
            "token": "GJJ_WECHAT__TOKEN",
            "aes_key": "GJJ_WECHAT__AES_KEY",
            "app_id": "GJJ_WECHAT__APP_ID",
            "app_secret": "GJJ_WECHAT__APP_SECRET",
            "original_id": "GJJ_WECHAT__ORIGINAL_ID",
            "gateway_url": "GJJ_GATEWAY__PUBLIC_URL",
            "host": "GJJ_SANDBOX__HOST",
        }
        given: dict[str, Any] = {field: environ[name] for field, name in names.items() if environ.get(name)}
        if port := environ.get("GJJ_SANDBOX__PORT"):
            given["port"] = int(port)
        return cls(**given)

    @property
    def webhook_url(self) -> str:
        return self.gateway_url.rstrip("/") + "/channels/wechat"
