"""`hotline phones`: agents' telephones as sections of Asterisk's pjsip_agents.conf."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hotline.console import one_sentence, report, settings
from hotline.errors import ConfigError

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import SecretStr

    from hotline.domain.staff import Staff
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database


class Kind(StrEnum):
    """What an agent telephones with."""

    BROWSER = "browser"
    """The desk's page: SIP over a WebSocket, sound by WebRTC."""
    SIP = "sip"
    """A telephone or a program that speaks SIP."""


TEMPLATES: Final[Mapping[Kind, str]] = {Kind.BROWSER: "agent-browser", Kind.SIP: "agent"}
"""Of channels/voice/asterisk/etc/pjsip.conf."""


def phones(
    extension: Annotated[list[str] | None, typer.Argument(help="only these; all without")] = None,
    kind: Annotated[Kind | None, typer.Option(help="browser where GJJ_TELEPHONE__BROWSER_PHONE_URL is set")] = None,
) -> None:
    """What Asterisk's pjsip_agents.conf holds: the telephones of all members, with their passwords."""
    with one_sentence():
        telephone = settings().telephone
        chosen = kind or (Kind.BROWSER if telephone.browser_phone_url else Kind.SIP)
        members = _wanted(_with_extensions(), extension or ())
        sys.stdout.write(sections(members, kind=chosen, secret=telephone.phone_secret))
        report(f"{len(members)} telephones, as {chosen}")


def sections(members: Iterable[Staff], *, kind: Kind, secret: SecretStr) -> str:
    """Endpoint, aor and auth of each, by the templates of the shipped pjsip.conf."""
    return "".join(f"{_section(each, kind=kind, secret=secret)}\n" for each in members)


def _section(member: Staff, *, kind: Kind, secret: SecretStr) -> str:
    from hotline.privacy.phones import phone_password

    number = member.extension
    lines = (
        f"[{number}]({TEMPLATES[kind]})",
        f"aors={number}",
        f"auth={number}",
        f"[{number}](agent-aor)",
        f"[{number}](agent-auth)",
        f"username={number}",
        f"password={phone_password(secret, number)}",
    )
    return "\n".join(lines) + "\n"


def _wanted(members: Sequence[Staff], extensions: Sequence[str]) -> list[Staff]:
    """Raises ConfigError for an extension nobody has."""
    unknown = sorted(set(extensions) - {each.extension for each in members})
    if unknown:
        raise ConfigError(f"nobody has extension {', '.join(unknown)}")
    return [each for each in members if not extensions or each.extension in extensions]


def _with_extensions() -> list[Staff]:
    from hotline.audit_cli import with_database
    from hotline.domain.clock import utc_now
    from hotline.domain.staff import StaffState
    from hotline.privacy.ciphers import FieldCipher
    from hotline.storage.staff import SqlMembers

    async def read(database: Database, _: SqlAudit) -> list[Staff]:
        members = SqlMembers(database, cipher=FieldCipher.from_settings(settings().privacy), clock=utc_now)
        found = [each for each in await members.all() if each.extension and each.state is StaffState.ACTIVE]
        return sorted(found, key=lambda each: each.extension)

    return with_database(read)
