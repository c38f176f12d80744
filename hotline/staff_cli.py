"""`hotline staff`: accounts of the desk and the console. Passwords are told once and have to be changed."""

from __future__ import annotations

import getpass
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hotline.console import one_sentence, out, report, settings
from hotline.domain.desk import Group
from hotline.domain.staff import NewStaff, Role, StaffState
from hotline.errors import ConfigError
from hotline.settings import Settings

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.services.staff.members import Accounts
    from hotline.staff_store import Members
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database

T = TypeVar("T")
Name = Annotated[str, typer.Argument(help="what the member signs in with")]
Roles = Annotated[list[Role], typer.Option("--role", help="may be given several times")]
Groups = Annotated[list[Group] | None, typer.Option("--group", help="skill groups an agent serves")]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def add(
    name: Name,
    display: Annotated[str, typer.Option(help="the name colleagues see")],
    work_no: Annotated[str, typer.Option(help="the number citizens are told (工号)")],
    role: Roles,
    group: Groups = None,
    extension: Annotated[str, typer.Option(help="the number of the member's telephone (分机)")] = "",
) -> None:
    """An account, with a password that is told here once."""
    new = NewStaff(
        name=name, display_name=display, work_no=work_no, roles=role, groups=group or [], extension=extension
    )
    with one_sentence():
        password = _run(lambda accounts, _: accounts.add(new))
    out.print(password, markup=False)
    report(f"{name} signs in with this password once and chooses another one")


@app.command("list")
def list_all() -> None:
    """Everybody, with roles, groups and state."""

    async def told(_: Accounts, members: Members) -> list[dict[str, object]]:
        return [
            {
                "name": each.name,
                "display_name": each.display_name,
                "work_no": each.work_no,
                "extension": each.extension,
                "roles": sorted(each.roles),
                "groups": sorted(each.groups),
                "state": each.state,
                "second_factor": each.has_second_factor,
                "demo": each.is_demo,
            }
            for each in await members.all()
        ]

    with one_sentence():
        out.print_json(data=_run(told), ensure_ascii=False)


@app.command("set-roles")
def set_roles(name: Name, role: Roles) -> None:
    """What the member may do from now on. His sessions end."""
    with one_sentence():
        _run(lambda accounts, _: accounts.set_roles(name, role))


@app.command("set-groups")
def set_groups(name: Name, group: Groups = None) -> None:
    """Which skill groups the member serves; none without `--group`."""
    with one_sentence():
        _run(lambda accounts, _: accounts.set_groups(name, group or []))


@app.command("set-extension")
def set_extension(
    name: Name,
    extension: Annotated[str, typer.Argument(help="the number of the member's telephone; none: he has none")] = "",
) -> None:
    """The telephone calls are put through to."""
    with one_sentence():
        _run(lambda accounts, _: accounts.set_extension(name, extension))


@app.command()
def disable(name: Name) -> None:
    """The account cannot be used. Its sessions end."""
    with one_sentence():
        _run(lambda accounts, _: accounts.set_state(name, StaffState.DISABLED))


@app.command()
def enable(name: Name) -> None:
    """The account can be used again."""
    with one_sentence():
        _run(lambda accounts, _: accounts.set_state(name, StaffState.ACTIVE))


@app.command("reset-password")
def reset_password(name: Name) -> None:
    """A new password, told here once."""
    with one_sentence():
        out.print(_run(lambda accounts, _: accounts.reset_password(name)), markup=False)


@app.command("reset-second-factor")
def reset_second_factor(name: Name) -> None:
    """The member enrols an authenticator anew at the next sign-in."""
    with one_sentence():
        _run(lambda accounts, _: accounts.reset_second_factor(name))


@app.command()
def demo() -> None:
    """The sandbox's accounts (agent1, agent2, supervisor1 …) are there, with the password everybody knows."""
    with one_sentence():
        ensure_demo(settings())


def ensure_demo(chosen: Settings) -> None:
    """The demo accounts are there. Raises ConfigError without the sandbox."""
    if not chosen.sandbox.enabled:
        raise ConfigError("demo accounts are for the sandbox alone")
    for name in _run(lambda accounts, _: accounts.ensure_demo()):
        report(f"there is no demo account {name}: its name, work number or extension is somebody's")


def _run(call: Callable[[Accounts, Members], Awaitable[T]]) -> T:
    """What ``call`` gives on the database in settings."""
    from hotline.audit_cli import with_database
    from hotline.domain.clock import utc_now
    from hotline.privacy.ciphers import FieldCipher
    from hotline.services.staff.members import Accounts
    from hotline.services.staff.passwords import Passwords
    from hotline.storage.staff import SqlMembers

    async def run(database: Database, _: SqlAudit) -> T:
        members = SqlMembers(database, cipher=FieldCipher.from_settings(settings().privacy), clock=utc_now)
        return await call(Accounts(members, passwords=Passwords(), actor=_user()), members)

    return with_database(run)


def _user() -> str:
    """The user of this machine, for the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
