"""One frozen settings object. Environment variables start with ``GJJ_`` and nest with ``__``
(``GJJ_WECHAT__TOKEN``); the same names are read from files in ``GJJ_SECRETS_DIR`` where it is set.

Business figures (rates, caps, hours) are not settings: they are knowledge_base/parameters.
"""

from __future__ import annotations

import os
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

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
    fund_port: int = 8091
    """The core system's, a process and a database of its own."""
    fund_people: int = 20000
    """How many people the core system is seeded with, besides those written down in sandbox/fund/cast.yml."""
    fund_today: date | None = None
    """The day the core system starts on; None: the real one."""
    fund_stage_s: float = 30.0
    """How long an application stays in each state there."""


class FundSettings(_Section):
    """The fund core system, by its HTTP form (docs/fund-core-api.yaml)."""

    base_url: str = "http://127.0.0.1:8091"
    """The default is the sandbox's core system."""
    client_id: str = "hotline"
    secret: SecretStr = SecretStr("embedded-fund-secret-change-me")
    """Requests are signed with it (HMAC-SHA256)."""
    connect_timeout_s: float = 0.5
    read_timeout_s: float = 1.5
    """For one attempt of a read. A turn has 2.8 s in all."""
    read_budget_s: float = 2.4
    """For a read and its one repetition together."""
    write_timeout_s: float = 2.0
    concurrent_calls: int = 32
    """More than these at once are refused at once, so that a slow core system cannot hold every turn."""
    failures_to_open: int = 5
    open_s: float = 10.0
    """After so many failures in a row the core system is left alone for so long."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    """PEM files for mutual TLS; both or none."""
    ca_bundle: Path | None = None
    """Who signed the core system's certificate; None: the system's trust store."""


class PrivacySettings(_Section):
    """How personal numbers are kept."""

    keys: SecretStr = SecretStr("1:ZW1iZWRkZWQtcHJpdmFjeS1rZXktY2hhbmdlLW1lISE=")
    """``number:base64`` of 32 bytes each, separated by commas; the first one encrypts, the others still decrypt."""
    lookup_key: SecretStr = SecretStr("embedded-lookup-key-change-me")
    """For the keyed hashes rows are found by. Changing it needs `hotline keys rehash`."""
    cipher: str = Field(default="aes-256-gcm", pattern="^(aes-256-gcm|sm4-gcm)$")
    lookup_hash: str = Field(default="sha256", pattern="^(sha256|sm3)$")


class IdentitySettings(_Section):
    """How identity is proven; the limits on codes are those of reference carriers (docs/operations.md)."""

    proven_minutes: int = Field(default=10, ge=1)
    """How long a proof counts for what needs one."""
    link_minutes: int = Field(default=10, ge=1)
    code_minutes: int = Field(default=5, ge=1)
    code_tries: int = Field(default=5, ge=1)
    codes_per_minute: int = Field(default=1, ge=1)
    codes_per_hour: int = Field(default=5, ge=1)
    codes_per_day: int = Field(default=10, ge=1)
    wrong_before_lock: int = Field(default=5, ge=1)
    """Wrong attempts in a row before a lock of 1 minute, which doubles each time up to a day."""
    wechat_oauth: bool = True
    """Ask WeChat who opens a sign-in page (snsapi_base). The account's web domain has to be set for it."""
    wechat_oauth_url: str = "http://127.0.0.1:8090/connect/oauth2/authorize"
    """Real: WeChat's own page for it."""


class ChannelLimits(_Section):
    """In whole yuan: the most one application may move, and all applications of a person on a day together."""

    single_yuan: int = Field(default=200_000, ge=0)
    daily_yuan: int = Field(default=500_000, ge=0)


class LimitsSettings(_Section):
    """What may be filed on each channel (导则 5.3(3)); the centre sets its own."""

    web: ChannelLimits = Field(default_factory=ChannelLimits)
    wechat: ChannelLimits = Field(default_factory=ChannelLimits)
    voice: ChannelLimits = Field(default_factory=ChannelLimits)
    sms: ChannelLimits = ChannelLimits(single_yuan=0, daily_yuan=0)


class OidcSettings(_Section):
    """The centre's own sign-in service for staff (OpenID Connect). Off while ``issuer`` is empty."""

    issuer: str = ""
    """Its address exactly as its own document names it, such as ``https://sso.example.cn/realms/staff``."""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    scope: str = "openid profile"
    claim: str = "preferred_username"
    """The claim that holds a member's name here. Nobody is made a member by it."""


class StaffSettings(_Section):
    """How members of staff sign in."""

    idle_minutes: int = Field(default=30, ge=5)
    """A session not used for so long has ended. An open desk is in use."""
    session_hours: int = Field(default=12, ge=1)
    """And every session ends after so long."""
    second_factor: bool = True
    """Everybody needs a code of his authenticator; only the sandbox's demo accounts do not."""
    wrong_before_lock: int = Field(default=5, ge=1)
    """Wrong attempts in a row before a lock of 1 minute, which doubles each time up to a day."""
    oidc: OidcSettings = Field(default_factory=OidcSettings)


class WorkOrderSettings(_Section):
    """What work orders take; until when they are done is in hotline/services/work_orders/limits.yml."""

    evidence_dir: Path | None = None
    """Where evidence files are kept; None: ``evidence`` in the state directory. No web server may give it out."""
    evidence_bytes: int = Field(default=10 * 1024 * 1024, ge=1)
    """The most one file may have."""
    evidence_files: int = Field(default=10, ge=1)
    """The most one order may have."""
    attempts: int = Field(default=10, ge=1)
    """How often something is told to a citizen or the city hotline before it is given up: 10 are about five hours."""


class CityHotlineSettings(_Section):
    """The city hotline (12345), by the HTTP form in docs/city-hotline-api.yaml."""

    enabled: bool = True
    """False: nobody is answered under /exchange."""
    base_url: str = "http://127.0.0.1:8090/city-hotline"
    """The default is the sandbox's city hotline."""
    client_id: str = "hotline-12329"
    """What the city hotline knows us by."""
    secret: SecretStr = SecretStr("embedded-city-hotline-secret-change-me")
    """Our requests are signed with it."""
    peer_id: str = "city-12345"
    """What we know the city hotline by."""
    peer_secret: SecretStr = SecretStr("embedded-city-peer-secret-change-me")
    """Its requests are signed with it."""
    connect_timeout_s: float = 2.0
    timeout_s: float = 5.0
    """For one request and its whole answer."""


class AsteriskSettings(_Section):
    """An Asterisk that calls come in by (docs/telephone.md)."""

    ari_url: str = "http://127.0.0.1:8088/ari"
    ari_user: str = "hotline"
    ari_password: SecretStr = SecretStr("embedded-ari-password-change-me")
    app: str = "hotline"
    """The Stasis application that the dialplan hands calls to."""
    media: Literal["websocket", "audiosocket"] = "websocket"
    """How sound comes and goes: ``websocket`` from Asterisk 22.6 on, ``audiosocket`` before."""
    media_port: int = 8004
    """Where Asterisk brings the sound to, whichever way."""
    agi_port: int = 0
    """FastAGI for callers by keypad alone, where there is no ARI; 0: off."""
    agents: str = "PJSIP/{extension}"
    """The channel an agent's telephone is rung on."""


class SipSettings(_Section):
    """A telephone line without a switch: calls by SIP end in the process itself. For trying out and tests."""

    listen: str = "127.0.0.1:5060"
    number: str = "12329"
    agents: str = "sip:{extension}@127.0.0.1:5062"
    """The address an agent's telephone is rung at."""


class TelephoneSettings(_Section):
    """Calls that are sound, in a process of their own."""

    line: Literal["none", "asterisk", "sip"] = "none"
    host: str = "127.0.0.1"
    port: int = 8002
    """Health."""
    record: bool = True
    """Calls are recorded, and the greeting says so."""
    recordings_dir: Path | None = None
    """None: ``recordings`` in the state directory. No web server may give it out."""
    recording_days: int = Field(default=180, ge=1)
    recogniser: Literal["none", "local", "remote"] = "none"
    """``none``: keys alone. ``local``: the recogniser's own process. ``remote``: a vendor's, by the same protocol."""
    recogniser_url: str = "ws://127.0.0.1:8003"
    recogniser_token: SecretStr = SecretStr("")
    voice: Literal["espeak", "recorded", "remote"] = "espeak"
    """``espeak``: for trying out. ``recorded``: prompt files, espeak where one is missing. ``remote``: a vendor's."""
    voice_url: str = ""
    voice_token: SecretStr = SecretStr("")
    prompts_dir: Path | None = None
    """Recorded prompts (8 kHz WAV); None: ``prompts`` in the state directory."""
    ring_s: float = 20.0
    """How long an agent's telephone rings."""
    most_calls: int = Field(default=60, ge=1)
    """More at once are told that all lines are busy."""
    browser_phone_url: str = ""
    """Where agents' browsers register as telephones (``wss://…/ws`` of Asterisk); empty: no browser phone."""
    phone_secret: SecretStr = SecretStr("embedded-phone-secret-change-me")
    """Agents' telephones' passwords are made from it."""
    asterisk: AsteriskSettings = Field(default_factory=AsteriskSettings)
    sip: SipSettings = Field(default_factory=SipSettings)


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


class TwilioRelaySettings(_Section):
    """Calls by ConversationRelay. The names of languages, voices and providers are Twilio's."""

    speaks: str = "cmn-CN"
    tts_provider: str = "Google"
    voice: str = ""
    """Empty: the provider's own for the language."""
    hears: str = "cmn-Hans-CN"
    transcription_provider: str = "Google"
    speech_model: str = ""
    agents: str = ""
    """How an agent's telephone is rung: ``sip:{extension}@pbx.example.cn`` or ``+8620{extension}``; empty: no
    telephone is rung, agents speak by text."""
    workflow_sid: str = ""
    """The TaskRouter workflow that takes callers whom nothing else can help; empty: they go on by Gather."""


class TwilioSettings(_Section):
    """SMS and telephone in their Twilio form."""

    account_sid: str = "AC00000000000000000000000000012329"
    auth_token: SecretStr = SecretStr("sandbox-twilio-auth-token")
    number: str = "+8612329"
    api_base: str = "http://127.0.0.1:8090/twilio"
    """Where REST calls go instead of Twilio's own address; empty: Twilio itself."""
    voice: str = "Polly.Zhiyu"
    reply_wait_s: float = 6.0
    mode: Literal["gather", "relay"] = "gather"
    """How calls are held: one webhook for each turn, or one WebSocket for the whole call."""
    relay: TwilioRelaySettings = Field(default_factory=TwilioRelaySettings)


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
    fund: FundSettings = Field(default_factory=FundSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    identity: IdentitySettings = Field(default_factory=IdentitySettings)
    limits: LimitsSettings = Field(default_factory=LimitsSettings)
    work_orders: WorkOrderSettings = Field(default_factory=WorkOrderSettings)
    city_hotline: CityHotlineSettings = Field(default_factory=CityHotlineSettings)
    staff: StaffSettings = Field(default_factory=StaffSettings)
    telephone: TelephoneSettings = Field(default_factory=TelephoneSettings)

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.state_dir / 'hotline.db'}"

    @property
    def evidence_dir(self) -> Path:
        """Where evidence files of work orders are kept."""
        return self.work_orders.evidence_dir or self.state_dir / "evidence"

    @property
    def recordings_dir(self) -> Path:
        """Where recordings of calls are kept."""
        return self.telephone.recordings_dir or self.state_dir / "recordings"

    @property
    def knowledge_dir(self) -> Path:
        """Where published knowledge lives: versions and the name of the current one."""
        return self.state_dir / "knowledge"


@cache
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
