"""What `hotline check-config` finds: everything at once, never a secret's value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import SecretStr, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hotline.errors import ConfigError
from hotline.privacy.ciphers import FieldCipher
from hotline.privacy.hashes import LookupHash
from hotline.settings import ROOT, Settings

PORT_SETTINGS = {
    "rasa": "GJJ_RASA__URL",
    "actions": "GJJ_ACTIONS__PORT",
    "gateway": "GJJ_GATEWAY__PORT (and GJJ_GATEWAY__PUBLIC_URL)",
    "sandbox": "GJJ_SANDBOX__PORT (and GJJ_WECHAT__API_BASE, GJJ_TWILIO__API_BASE, GJJ_CITY_HOTLINE__BASE_URL)",
    "fund": "GJJ_SANDBOX__FUND_PORT (and GJJ_FUND__BASE_URL)",
    "telephone": "GJJ_TELEPHONE__PORT",
    "hearing": "GJJ_TELEPHONE__RECOGNISER_URL",
}
EMBEDDED_MARKS = ("embedded-", "sandbox", "abcdefghijklmnopqrstuvwxyz", "1:ZW1iZWRkZWQ")


@dataclass(frozen=True, slots=True)
class Problem:
    """``level`` error: cannot run like this; warning: runs, but not where citizens are."""

    level: str
    setting: str
    text: str


def wrong_settings(error: ValidationError) -> list[str]:
    """One line for each setting that pydantic refused, by the name an operator sets."""
    return [f"{_name(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False, include_url=False)]


def problems(settings: Settings) -> list[Problem]:
    """Everything wrong or unsafe, the errors first."""
    checks = (_database, _wechat, _secrets, _addresses, _centre, _privacy, _fund, _staff, _telephone)
    found = [problem for check in checks for problem in check(settings)]
    return sorted(found, key=lambda problem: problem.level)


def _name(location: tuple[int | str, ...]) -> str:
    return "GJJ_" + "__".join(str(part) for part in location).upper()


def _database(settings: Settings) -> Iterator[Problem]:
    try:
        url = make_url(settings.resolved_database_url)
    except ArgumentError:
        yield Problem("error", "GJJ_DATABASE_URL", "is not a database address")
        return
    if url.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        yield Problem("error", "GJJ_DATABASE_URL", "must start with sqlite+aiosqlite:// or postgresql+asyncpg://")


def _wechat(settings: Settings) -> Iterator[Problem]:
    for name in ("aes_key", "previous_aes_key"):
        key: SecretStr | None = getattr(settings.wechat, name)
        if key is not None and len(key.get_secret_value()) != 43:
            yield Problem(
                "error", f"GJJ_WECHAT__{name.upper()}", "must be 43 characters, as the settings page gives it"
            )


def _secrets(settings: Settings) -> Iterator[Problem]:
    """Embedded defaults are for the sandbox on one machine; a public address with them is refused."""
    level = "warning" if settings.sandbox.enabled else "error"
    exchange = ("city_hotline",) if settings.city_hotline.enabled else ()
    for section in ("gateway", "rasa", "wechat", "twilio", "fund", "privacy", *exchange, ""):
        part = getattr(settings, section) if section else settings
        for field in type(part).model_fields:
            value = getattr(part, field)
            if isinstance(value, SecretStr) and value.get_secret_value().startswith(EMBEDDED_MARKS):
                name = "__".join(word for word in (section, field) if word).upper()
                yield Problem(level, f"GJJ_{name}", "still has the value shipped for the sandbox")


def _addresses(settings: Settings) -> Iterator[Problem]:
    public = settings.gateway.public_url
    if not public.startswith("https://") and not settings.sandbox.enabled:
        yield Problem("error", "GJJ_GATEWAY__PUBLIC_URL", "must be the https address that vendors call")
    oauth = settings.identity.wechat_oauth_url
    if settings.identity.wechat_oauth and not oauth.startswith("https://") and not settings.sandbox.enabled:
        yield Problem("error", "GJJ_IDENTITY__WECHAT_OAUTH_URL", "must be the https address of WeChat's own page")
    if settings.sandbox.enabled and public.startswith("https://"):
        yield Problem("warning", "GJJ_SANDBOX__ENABLED", "the sandbox runs although the gateway has a public address")


def _centre(settings: Settings) -> Iterator[Problem]:
    if not (ROOT / "knowledge_base" / "centres" / f"{settings.centre}.yml").exists():
        yield Problem("error", "GJJ_CENTRE", f"knowledge_base/centres/{settings.centre}.yml does not exist")


def _privacy(settings: Settings) -> Iterator[Problem]:
    for name, read in (("keys", FieldCipher.from_settings), ("lookup_hash", LookupHash.from_settings)):
        try:
            read(settings.privacy)
        except ConfigError as error:
            yield Problem("error", f"GJJ_PRIVACY__{name.upper()}", str(error))


def _fund(settings: Settings) -> Iterator[Problem]:
    if bool(settings.fund.client_certificate) != bool(settings.fund.client_key):
        yield Problem("error", "GJJ_FUND__CLIENT_CERTIFICATE", "and GJJ_FUND__CLIENT_KEY belong together")
    if not settings.sandbox.enabled and not settings.fund.base_url.startswith("https://"):
        yield Problem("error", "GJJ_FUND__BASE_URL", "must be the https address of the fund core system")


def _staff(settings: Settings) -> Iterator[Problem]:
    staff, real = settings.staff, not settings.sandbox.enabled
    if real and not staff.second_factor:
        yield Problem("error", "GJJ_STAFF__SECOND_FACTOR", "can be turned off with the sandbox alone")
    if staff.oidc.issuer and not staff.oidc.client_id:
        yield Problem("error", "GJJ_STAFF__OIDC__CLIENT_ID", "is missing")
    if real and staff.oidc.issuer and not staff.oidc.issuer.startswith("https://"):
        yield Problem("error", "GJJ_STAFF__OIDC__ISSUER", "must be an https address")


def _telephone(settings: Settings) -> Iterator[Problem]:
    """Secrets are looked at where something uses them."""
    telephone = settings.telephone
    level = "warning" if settings.sandbox.enabled else "error"
    used = {
        "PHONE_SECRET": (telephone.phone_secret, bool(telephone.browser_phone_url)),
        "ASTERISK__ARI_PASSWORD": (telephone.asterisk.ari_password, telephone.line == "asterisk"),
    }
    for name, (value, is_used) in used.items():
        if is_used and value.get_secret_value().startswith(EMBEDDED_MARKS):
            yield Problem(level, f"GJJ_TELEPHONE__{name}", "still has the value shipped for the sandbox")
    if telephone.line == "sip" and not settings.sandbox.enabled:
        yield Problem(
            "warning", "GJJ_TELEPHONE__LINE", "sip is for trying out: it takes calls from anybody, unencrypted"
        )
    if telephone.voice == "remote" and not telephone.voice_url.startswith(("http://", "https://")):
        yield Problem("error", "GJJ_TELEPHONE__VOICE_URL", "must be the http or https address of the voice")
    if telephone.recogniser != "none" and not telephone.recogniser_url.startswith(("ws://", "wss://")):
        yield Problem("error", "GJJ_TELEPHONE__RECOGNISER_URL", "must be the ws or wss address of the recogniser")
