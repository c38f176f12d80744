from __future__ import annotations

import pytest
from pydantic import ValidationError

from hotline import checks, supervisor
from hotline.settings import Settings


def settings(**changes: object) -> Settings:
    return Settings.model_validate(changes)


def found(chosen: Settings, level: str = "error") -> set[str]:
    return {problem.setting for problem in checks.problems(chosen) if problem.level == level}


def test_the_embedded_defaults_can_be_used_with_the_sandbox() -> None:
    assert found(settings()) == set()


def test_without_the_sandbox_every_shipped_secret_is_an_error_and_all_are_named_at_once() -> None:
    names = found(settings(sandbox={"enabled": False}))
    assert {
        "GJJ_WECHAT__TOKEN",
        "GJJ_WECHAT__AES_KEY",
        "GJJ_WECHAT__APP_SECRET",
        "GJJ_GATEWAY__SESSION_SECRET",
        "GJJ_GATEWAY__INTERNAL_TOKEN",
        "GJJ_RASA__TOKEN",
        "GJJ_TWILIO__AUTH_TOKEN",
        "GJJ_GATEWAY__PUBLIC_URL",
    } <= names


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"database_url": "mysql://x"}, "GJJ_DATABASE_URL"),
        ({"database_url": "not an address"}, "GJJ_DATABASE_URL"),
        ({"wechat": {"aes_key": "short"}}, "GJJ_WECHAT__AES_KEY"),
        ({"wechat": {"previous_aes_key": "short"}}, "GJJ_WECHAT__PREVIOUS_AES_KEY"),
        ({"centre": "atlantis"}, "GJJ_CENTRE"),
        ({"telephone": {"voice": "remote"}}, "GJJ_TELEPHONE__VOICE_URL"),
        ({"telephone": {"recogniser": "remote", "recogniser_url": "http://x"}}, "GJJ_TELEPHONE__RECOGNISER_URL"),
    ],
)
def test_what_is_wrong_is_named_as_the_operator_sets_it(changes: dict[str, object], name: str) -> None:
    assert name in found(settings(**changes))


def test_no_finding_shows_a_secret() -> None:
    secret = "embedded-but-very-secret"
    chosen = settings(gateway={"internal_token": secret}, sandbox={"enabled": False})
    assert secret not in repr(checks.problems(chosen))


def test_a_misspelt_setting_is_refused_and_named() -> None:
    with pytest.raises(ValidationError) as refused:
        settings(wechat={"tokn": "x"})
    (line,) = checks.wrong_settings(refused.value)
    assert line.startswith("GJJ_WECHAT__TOKN:")


def test_secrets_come_from_files_named_like_the_variable(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "GJJ_WECHAT__TOKEN").write_text("from a file\n")
    monkeypatch.setenv("GJJ_SECRETS_DIR", str(folder))
    assert Settings().wechat.token.get_secret_value() == "from a file"
    monkeypatch.setenv("GJJ_WECHAT__TOKEN", "from the environment")
    assert Settings().wechat.token.get_secret_value() == "from the environment"


def test_the_telephones_secrets_are_looked_at_where_they_are_used() -> None:
    assert not any("TELEPHONE" in name for name in found(settings(sandbox={"enabled": False})))
    telephone = {"line": "asterisk", "browser_phone_url": "wss://switch.example/ws"}
    names = found(settings(sandbox={"enabled": False}, telephone=telephone))
    assert {"GJJ_TELEPHONE__ASTERISK__ARI_PASSWORD", "GJJ_TELEPHONE__PHONE_SECRET"} <= names


def test_every_process_has_a_setting_for_its_port() -> None:
    chosen = settings(telephone={"line": "sip", "recogniser": "local"})
    assert {each.name for each in supervisor.services(chosen)} <= set(checks.PORT_SETTINGS)
