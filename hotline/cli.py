"""`hotline`: the commands of the design's contract."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import Progress
from rich.table import Table

from hotline import (
    audit_cli,
    calls_cli,
    checks,
    evaluation,
    kb_cli,
    keys_cli,
    person_cli,
    phones_cli,
    staff_cli,
    supervisor,
    training,
    work_orders_cli,
)
from hotline.client import GatewayClient, ensure_running
from hotline.console import notes, one_sentence, out, report, settings
from hotline.domain.messages import ChannelName
from hotline.services.staff.demo import DEMO_PASSWORD
from hotline.settings import ROOT, Settings
from hotline.storage.migrate import migrate as migrate_database

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(kb_cli.app, name="kb")
app.add_typer(audit_cli.app, name="audit")
app.add_typer(keys_cli.app, name="keys")
app.add_typer(person_cli.app, name="person")
app.add_typer(staff_cli.app, name="staff")
app.add_typer(work_orders_cli.app, name="orders")
app.command()(phones_cli.phones)
app.command()(calls_cli.calls)

JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")]


@app.command()
def up(
    idle_exit: Annotated[float, typer.Option(help="seconds without a question after which everything stops")] = 0,
) -> None:
    """Train what changed, start every process, stop all of them on Ctrl-C."""
    chosen = settings()
    with one_sentence():
        if supervisor.stop_running(chosen):
            report("stopped the processes that ran before")
        wanted = supervisor.services(chosen)
        supervisor.check_ports(wanted)
        _prepare(chosen)
        boss = supervisor.Supervisor(chosen, report)
        asyncio.run(boss.run(wanted, lambda: _welcome(chosen), idle_exit_s=idle_exit))
        report("all processes have stopped")


def _prepare(chosen: Settings) -> None:
    for made in training.train(chosen, report):
        if made.fresh:
            report(f"{made.name} made in {made.seconds:.0f} s")
    migrate_database(chosen.resolved_database_url)
    if chosen.sandbox.enabled:
        staff_cli.ensure_demo(chosen)


def _welcome(chosen: Settings) -> None:
    web = f"http://{chosen.gateway.host}:{chosen.gateway.port}"
    sandbox = f"http://{chosen.sandbox.host}:{chosen.sandbox.port}"
    report("")
    report(f"  web chat       {web}/chat")
    if chosen.sandbox.enabled:
        report(f"  WeChat phone   {sandbox}/phone")
        report(f"  SMS · call     {sandbox}/sms-phone   {sandbox}/call")
        report(f"  12345          {sandbox}/city-hotline/")
        report(f"  desk           {web}/desk   agent1, agent2 or supervisor1 · {DEMO_PASSWORD}")
    else:
        report(f"  desk           {web}/desk")
    report(f"  health         {web}/health")
    report("")
    report("try this:")
    report(f"  1. open {web}/chat and ask 租房提取一个月能取多少")
    report('  2. .venv/bin/hotline ask "离职后公积金怎么取" --json')
    if chosen.sandbox.enabled:
        report(f"  3. open {sandbox}/phone, follow the account and tap 提取 in its menu")
        _tell_somebody_to_be(chosen, sandbox)
        report(f"  5. sign in at {web}/desk as agent1, choose 就绪, and say 转人工 on the phone")
    else:
        report("  3. .venv/bin/hotline status")
    report("")
    report("Ctrl-C stops everything.")


def _tell_somebody_to_be(chosen: Settings, sandbox: str) -> None:
    """One of the sandbox's invented people, to try own data with."""
    core = f"http://{chosen.sandbox.host}:{chosen.sandbox.fund_port}"
    with suppress(httpx.HTTPError, ValueError, LookupError):
        somebody = httpx.get(f"{core}/control/cast", timeout=2, trust_env=False).json()["cast"][0]
        report("  4. ask 我的余额 there or on the page, open 验证身份 and be an invented person:")
        report(f"     身份证号 {somebody['id_number']}  查询密码 {somebody['password']}")
        report(f"     the code comes to {sandbox}/sms-phone, number +86{somebody['mobile']}")


@app.command()
def down() -> None:
    """Stop the processes of this checkout, wherever they were started."""
    with one_sentence():
        report("stopped" if supervisor.stop_running(settings()) else "nothing was running")


@app.command()
def ask(
    text: str,
    channel: Annotated[ChannelName, typer.Option()] = ChannelName.WEB,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="answer as on this date")] = None,
    conversation: Annotated[str, typer.Option(help="go on with a conversation of this name")] = "",
    as_json: JsonFlag = False,
) -> None:
    """One turn through the whole chain; starts what is not running."""
    chosen = settings()
    with one_sentence():
        ensure_running(chosen, report)
        with GatewayClient(chosen) as client:
            day = as_of.date().isoformat() if as_of else None
            answer = client.turn(text, channel=channel, as_of=day, conversation=conversation)
    if as_json:
        _print_json(answer)
        return
    out.print(answer["answer"], markup=False)
    for number, choice in enumerate(answer["choices"], 1):
        out.print(f"  [{number}] {choice['label']}", markup=False)
    report(f"{answer['outcome']} · {answer['matter']} · {answer['aspect']} · {answer['ms']:.0f} ms")


@app.command("eval")
def evaluate(
    file: Path,
    as_json: JsonFlag = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="write every row as JSONL")] = None,
    channel: Annotated[ChannelName, typer.Option()] = ChannelName.WEB,
    workers: Annotated[int, typer.Option(min=1, max=16)] = 2,
) -> None:
    """Ask every line of a JSONL file in a fresh conversation and count."""
    from knowledge_base.published import Published

    chosen = settings()
    with one_sentence():
        questions = evaluation.read_questions(file)
        ensure_running(chosen, report)
        catalogue = Published.open(chosen.knowledge_dir).catalogue
        with _progress(len(questions), "asking") as done:
            rows = evaluation.ask_all(chosen, catalogue, questions, channel=channel, workers=workers, done=done)
    if out_file:
        lines = [json.dumps(evaluation.out_row(row), ensure_ascii=False) for row in rows]
        out_file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    figures = evaluation.summary(rows)
    if as_json:
        _print_json(figures)
        return
    for name, value in figures.items():
        if not isinstance(value, (list, dict)):
            out.print(f"{name:>10}  {value}", markup=False)
    _print_tables(figures)


def _print_tables(figures: dict[str, Any]) -> None:
    topics = Table("topic", "n", "top-1", "top-3")
    for topic, row in figures["per_topic"].items():
        topics.add_row(topic, str(row["n"]), f"{row['top1']:.0%}", f"{row['top3']:.0%}")
    trust = Table("stated probability", "n", "claimed", "right")
    for each in figures["calibration"]:
        between = f"{each['low']:.1f} to {each['high']:.1f}"
        trust.add_row(between, str(each["n"]), f"{each['claimed']:.0%}", f"{each['right']:.0%}")
    taken = Table("topic", "taken for", "n")
    for wanted, got, count in figures["confusions"]:
        taken.add_row(wanted, got, str(count))
    for table in (topics, trust, taken):
        out.print(table)


@app.command()
def train(force: Annotated[bool, typer.Option(help="even when nothing has changed")] = False) -> None:
    """Publish the knowledge and train Rasa, each only when its sources have changed."""
    chosen = settings()
    with one_sentence():
        for made in training.train(chosen, report, force=force):
            report(f"{made.name}: {f'made in {made.seconds:.1f} s' if made.fresh else 'unchanged'}")


@app.command()
def status(as_json: JsonFlag = False) -> None:
    """What runs, whether it is well, and what waits."""
    chosen = settings()
    found = supervisor.running(chosen)
    state: dict[str, Any] = {"pids": found.pids if found else {}, "services": {}, "counts": {}}
    for service in supervisor.services(chosen):
        state["services"][service.name] = _health(service.health_url)
    if "gateway" in state["services"] and state["services"]["gateway"] != "down":
        with GatewayClient(chosen) as client, one_sentence():
            state["counts"] = client.counts()
    if as_json:
        _print_json(state)
    else:
        for name, health in state["services"].items():
            out.print(f"{name:>10}  {health}", markup=False)
        for name, count in state["counts"].items():
            out.print(f"{name:>10}  {count}", markup=False)
    if "down" in state["services"].values():
        raise typer.Exit(1)


@app.command()
def handovers(
    close: Annotated[int, typer.Option(help="the number of a request that has been dealt with")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Who has asked for a person and what they said last; there is no desk yet, so somebody has to look here."""
    with one_sentence(), GatewayClient(settings()) as client:
        if close:
            client.close_handover(close)
            report(f"request {close} is closed")
            return
        found = client.handovers()
    if as_json:
        _print_json(found)
        return
    for request in found:
        out.print(
            f"{request['number']}  {request['asked_at']}  {request['channel']}  {request['reason']}", markup=False
        )
        for line in request["said"]:
            out.print(f"      {line}", markup=False)


@app.command("check-config")
def check_config(ports: Annotated[bool, typer.Option(help="list the ports and their settings")] = False) -> None:
    """Say everything that is missing or unsafe in the settings, at once."""
    chosen = settings()
    if ports:
        for service in supervisor.services(chosen):
            out.print(f"{service.name:>10}  {service.host}:{service.port}  {checks.PORT_SETTINGS[service.name]}")
    problems = checks.problems(chosen)
    for problem in problems:
        out.print(f"{problem.level:>7}  {problem.setting}: {problem.text}", markup=False)
    if any(problem.level == "error" for problem in problems):
        raise typer.Exit(1)
    report("the settings can be used")


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    chosen = settings()
    with one_sentence():
        migrate_database(chosen.resolved_database_url)
    report("the database is at the newest schema")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Encrypted WeChat pushes against the gateway, beside a stock Rasa in the same run (`--help` for options)."""
    settings()
    command = [sys.executable, "-m", "tests.load.bench", *context.args]
    raise typer.Exit(subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603 - our own module


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def measure(context: typer.Context) -> None:
    """How well people are understood, beside baselines asked the same in the same run (`--help` for options)."""
    settings()
    command = [sys.executable, "-m", "tests.measure", *context.args]
    raise typer.Exit(subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603 - our own module


def _health(url: str) -> str:
    try:
        response = httpx.get(url, timeout=2, trust_env=False)
    except httpx.HTTPError:
        return "down"
    if response.status_code != 200:
        return "down"
    try:
        return str(response.json().get("status", "ok"))
    except (ValueError, AttributeError):
        return "ok"


@contextmanager
def _progress(total: int, label: str) -> Iterator[Callable[[], None]]:
    with Progress(console=notes, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def main() -> None:
    """Entry point of the ``hotline`` command."""
    app()


if __name__ == "__main__":
    main()
