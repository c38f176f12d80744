"""One frozen settings object. Environment variables start with ``GJJ_`` and nest with ``__``
(``GJJ_WECHAT__TOKEN``); the same names are read from files in ``GJJ_SECRETS_DIR`` where it is set.

Business figures (rates, caps, hours) are not settings: they are knowledge_base/parameters.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

ROOT = Path(__file__).resolve().parent.parent


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GatewaySettings(_Section):
    """The only process that faces outside."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    """The address vendors call, as they write it: signatures are computed over it."""
    trusted_proxies: str = ""
    """Addresses of the proxies in front, comma-separated: only theirs is believed about who is calling."""
    session_secret: SecretStr = SecretStr("embedded-session-secret-change-me")
    internal_token: SecretStr = SecretStr("embedded-internal-token-change-me")
    """Lets `hotline ask`, `eval` and `status` in; never given to a browser."""
    idle_close_minutes: int = 30
    """A conversation silent for this long is closed; the next message opens a new one."""
    desk_staffed: bool = False
    """True: who wants a person is queued for one. False: the request is noted and said so."""
    max_body_bytes: int = 1024 * 1024


class RasaSettings(_Section):
    """The Rasa core, on loopback."""

    url: str = "http://127.0.0.1:5005"
    token: SecretStr = SecretStr("embedded-rasa-token-change-me")
    timeout_s: float = 3.0


class ActionSettings(_Section):
    """The action server, on loopback."""

    host: str = "127.0.0.1"
    port: int = 5055


class SandboxSettings(_Section):
    """Stand-ins for what a centre has and a laptop has not."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = 8090


class WeChatSettings(_Section):
    """The service account (服务号), as its settings page names the values."""

    token: SecretStr = SecretStr("sandboxtoken")
    aes_key: SecretStr = SecretStr("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
    previous_aes_key: SecretStr | None = None
    app_id: str = "wx0123456789abcdef"
    app_secret: SecretStr = SecretStr("sandbox-app-secret")
    original_id: str = "gh_sandbox12329"
    api_base: str = "http://127.0.0.1:8090/wechat"
    """Real: the address of WeChat's API. The default is the sandbox."""
    reply_wait_s: float = 4.0
    freshness_s: int = 300


class TwilioSettings(_Section):
    """SMS and telephone in their Twilio form."""

    account_sid: str = "AC00000000000000000000000000012329"
    auth_token: SecretStr = SecretStr("sandbox-twilio-auth-token")
    number: str = "+8612329"
    api_base: str = "http://127.0.0.1:8090/twilio"
    """Where REST calls go instead of Twilio's own address; empty: Twilio itself."""
    voice: str = "Polly.Zhiyu"
    reply_wait_s: float = 6.0


class Settings(BaseSettings):
    """Everything an operator may set. Unknown names are refused."""

    model_config = SettingsConfigDict(
        env_prefix="GJJ_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then files of the same names in ``GJJ_SECRETS_DIR``."""
        folder = os.environ.get("GJJ_SECRETS_DIR")
        if not folder:
            return init_settings, env_settings
        files = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=folder,
            secrets_dir_missing="error",
            secrets_prefix="GJJ_",
            secrets_nested_delimiter="__",
        )
        return init_settings, env_settings, files

    centre: str = "guangzhou"
    state_dir: Path = ROOT / "var"
    database_url: str = ""
    """Empty: SQLite in ``state_dir``. PostgreSQL: ``postgresql+asyncpg://user@host/name``."""
    log_level: str = "INFO"
    use_only: bool = False
    """Understand with the small embedding alone (machines without AVX2)."""
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    rasa: RasaSettings = Field(default_factory=RasaSettings)
    actions: ActionSettings = Field(default_factory=ActionSettings)
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings)
    wechat: WeChatSettings = Field(default_factory=WeChatSettings)
    twilio: TwilioSettings = Field(default_factory=TwilioSettings)

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.state_dir / 'hotline.db'}"

    @property
    def knowledge_dir(self) -> Path:
        """Where published knowledge lives: versions and the name of the current one."""
        return self.state_dir / "knowledge"


@cache
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
