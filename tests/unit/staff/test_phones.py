"""Passwords of agents' telephones, and what the switch is told of them."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import SecretStr

from hotline.domain.staff import Role, Staff
from hotline.errors import ConfigError
from hotline.phones_cli import Kind, _wanted, sections
from hotline.privacy.phones import phone_password

SECRET = SecretStr("a secret of this test")


def member(extension: str) -> Staff:
    return Staff(
        id=f"s{extension}",
        name=f"agent{extension}",
        display_name="王敏",
        work_no=extension,
        roles=frozenset({Role.AGENT}),
        extension=extension,
    )


def test_password_is_the_same_every_time_and_another_one_for_each_telephone_and_secret() -> None:
    passwords = Counter(
        phone_password(secret, extension)
        for secret in (SECRET, SecretStr("another"))
        for extension in ("8001", "8002", "80010")
    )
    assert len(passwords) == 6
    assert phone_password(SECRET, "8001") == phone_password(SECRET, "8001") in passwords


def test_password_can_stand_in_a_configuration_file() -> None:
    assert all(each.isalnum() and each.isascii() for each in phone_password(SECRET, "8001"))


@pytest.mark.parametrize(("kind", "template"), [(Kind.SIP, "agent"), (Kind.BROWSER, "agent-browser")])
def test_telephone_has_endpoint_aor_and_auth_by_the_shipped_templates(kind: Kind, template: str) -> None:
    text = sections([member("8001"), member("8002")], kind=kind, secret=SECRET)
    assert text.split("\n\n")[0].splitlines() == [
        f"[8001]({template})",
        "aors=8001",
        "auth=8001",
        "[8001](agent-aor)",
        "[8001](agent-auth)",
        "username=8001",
        f"password={phone_password(SECRET, '8001')}",
    ]
    assert f"[8002]({template})" in text


def test_extension_nobody_has_is_an_error_and_not_an_empty_file() -> None:
    assert [each.extension for each in _wanted([member("8001"), member("8002")], ["8002"])] == ["8002"]
    with pytest.raises(ConfigError, match="8009"):
        _wanted([member("8001")], ["8009"])
