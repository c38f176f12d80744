"""`hotline orders`: what operators do with work orders; the daily work is the desk's. Every command is in the audit
trail, under the user of the machine."""

from __future__ import annotations

import getpass
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hotline.console import one_sentence, out, report, settings
from hotline.domain.desk import Group
from hotline.domain.work_orders import Actor, By, OrderType, State

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.domain.work_orders import WorkOrder
    from hotline.services.work_orders.desk import WorkOrderDesk

T = TypeVar("T")
Number = Annotated[str, typer.Argument(help="as the citizen knows it, GD20261125-000018")]
JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command("list")
def list_orders(
    state: Annotated[list[State] | None, typer.Option(help="may be given several times")] = None,
    order_type: Annotated[OrderType | None, typer.Option("--type")] = None,
    group: Annotated[Group | None, typer.Option()] = None,
    overdue: Annotated[bool, typer.Option(help="only what is past its due time")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """The newest orders first."""
    from hotline.work_order_store import OrderFilter

    which = OrderFilter(viewer=_operator(), states=state or (), type=order_type, group=group, overdue=overdue)
    with one_sentence():
        found = _run(lambda desk: desk.orders(which, by=_operator(), limit=limit))
    if as_json:
        out.print_json(data=[_shown(order) for order in found], ensure_ascii=False)
        return
    for order in found:
        due = order.due_at.isoformat(timespec="minutes")
        owner = order.owner or "-"
        out.print(f"{order.number}  {order.state}  due {due}  {order.group}  {owner}  {order.title}", markup=False)


@app.command()
def show(number: Number) -> None:
    """One order with its log."""
    with one_sentence():
        view = _run(lambda desk: desk.view(number, by=_operator()))
    told = {
        **_shown(view.order),
        "text": view.order.text,
        "answered_by": view.answered_by,
        "also": [each.number for each in view.also],
        "log": [_plain(asdict(event)) for event in view.events],
        "files": [_plain(asdict(file)) for file in view.files],
    }
    out.print_json(data=told, ensure_ascii=False)


@app.command()
def close(number: Number) -> None:
    """Put a concluded order away, whether the return visit was made or not."""
    with one_sentence():
        _run(lambda desk: _close(desk, number))
    report(f"{number} is closed")


@app.command()
def erase(
    number: Number,
    reason: Annotated[str, typer.Option(help="who asked for it and how he proved it: kept in the log")],
) -> None:
    """Delete texts, notes, people and files of an order that is over, and of those merged into it."""
    with one_sentence():
        _run(lambda desk: _erase(desk, number, reason))
    report(f"{number} is erased")


@app.command()
def undelivered(
    again: Annotated[int, typer.Option(help="the id of one that is to be tried again from the beginning")] = 0,
) -> None:
    """What could not be told to a citizen or the city hotline and was given up."""
    with one_sentence():
        if again:
            _run(lambda desk: desk.send_again(again, by=_operator()))
            report(f"{again} is tried again")
            return
        found = _run(lambda desk: desk.undelivered(by=_operator()))
    for each in found:
        when = each.at.isoformat(timespec="seconds")
        out.print(f"{each.id}  {each.number}  {each.target}  {when}  {each.attempts} tries  {each.error}", markup=False)


async def _close(desk: WorkOrderDesk, number: str) -> None:
    order = (await desk.view(number, by=_operator())).order
    await desk.close(number, version=order.version, by=_operator())


async def _erase(desk: WorkOrderDesk, number: str, reason: str) -> None:
    order = (await desk.view(number, by=_operator())).order
    await desk.erase(number, version=order.version, by=_operator(), reason=reason)


def _shown(order: WorkOrder) -> dict[str, Any]:
    names = ("number", "version", "type", "source", "matter", "title", "state", "group", "owner", "priority")
    more = ("confidential", "opened_at", "due_at", "due_provisional", "concluded_at", "rating", "reopened", "city_id")
    return _plain({name: getattr(order, name) for name in (*names, *more)})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def _operator() -> Actor:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return Actor(by=By.STAFF, id=user, name=user, supervises=True)


def _run(work: Callable[[WorkOrderDesk], Awaitable[T]]) -> T:
    """What ``work`` gives on the database in settings. Raises ConfigError where it does not answer."""
    from hotline.audit_cli import with_database
    from hotline.services.work_orders.desk import WorkOrderDesk
    from hotline.work_orders_bootstrap import build_parts

    return with_database(
        lambda database, audit: work(
            WorkOrderDesk(build_parts(settings(), database, audit=audit, matter=lambda _: None))
        )
    )
