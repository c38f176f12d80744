"""`hotline kb`: the editor's tools for the knowledge base."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline import learn_cli
from hotline.console import one_sentence, out, report, settings
from hotline.domain.clock import today
from hotline.errors import HotlineError
from hotline.settings import ROOT

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.importing.changes import EntryChange, Plan
    from knowledge_base.errors import Problem
    from knowledge_base.published import Published
    from knowledge_base.review import Finding

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(learn_cli.app, name="learn")

CONTENT = ROOT / "knowledge_base"
JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")]
CentreName = Annotated[str, typer.Option("--centre", help="the centre of the settings unless another is named")]
Content = Annotated[Path, typer.Option("--content", help="the folder of the content", hidden=True)]


@app.command()
def check(
    centre: CentreName = "",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="as on this date")] = None,
    limit: Annotated[int, typer.Option(min=0, help="findings shown of each kind; 0 shows all")] = 20,
    as_json: JsonFlag = False,
    content: Content = CONTENT,
) -> None:
    """What is wrong with the content (exit code 1), then what wants attention (exit code 0)."""
    from knowledge_base import loader, review
    from knowledge_base.errors import KnowledgeError

    day, who = as_of.date() if as_of else today(), centre or _centre()
    problems: tuple[Problem, ...] = ()
    found: list[Finding] = []
    try:
        catalogue, origins = loader.load_placed(content, centre=who)
        found = review.findings(catalogue, on=day, origins=origins)
    except KnowledgeError as error:
        problems = error.problems
    if as_json:
        _print_json(_as_json(who, day, problems, found))
    else:
        for problem in problems:
            out.print(str(problem), markup=False)
        _print_findings(found, limit)
    if problems:
        report(f"{_count(len(problems), 'problem')}: the content of {who} cannot be published")
        raise typer.Exit(1)
    report(f"the content of {who} can be published; {_count(len(found), 'finding')} as of {day}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="a service catalogue as .xlsx or .csv")],
    centre: CentreName = "",
    accept: Annotated[bool, typer.Option("--accept", help="write what is shown")] = False,
    content: Content = CONTENT,
) -> None:
    """Show what a spreadsheet would change; with --accept, write it into the centre's files.

    One row is one aspect of one matter. Phrasings are added and never taken away, and rows that are not in the sheet
    leave what stands as it is.
    """
    from hotline.importing import putting

    with one_sentence():
        made = putting.prepare(file, content, centre=centre or _centre(), on=today())
        _print_plan(made.plan)
        for warning in made.plan.warnings:
            report(f"{file.name}, {warning} (warning)")
        if made.problems:
            for problem in made.problems:
                report(f"{file.name}, {problem}")
            raise HotlineError(f"nothing is written: {_count(len(made.problems), 'problem')}")
        if not made.texts:
            report("nothing would change")
        elif not accept:
            report("nothing is written yet: --accept writes it")
        else:
            putting.put(made, content)
            for name in made.texts:
                report(f"written: {name}")
            report("next: hotline kb check, hotline train")


@app.command()
def publish(centre: CentreName = "") -> None:
    """Put the content in force: checked, built beside what is in force, swapped in one step. Rasa is not touched."""
    from hotline import training

    with one_sentence():
        usual = settings()
        chosen = usual.model_copy(update={"centre": centre}) if centre else usual
        made = training.publish(chosen, report)
        report(f"published in {made.seconds:.1f} s; running processes take it over with their next message")


@app.command()
def confusions(
    limit: Annotated[int, typer.Option(min=1, help="pairs shown")] = 30,
    entry: Annotated[str, typer.Option(help="only pairs with this code or code/aspect")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Which entries take phrasings from which, found on phrasings held out at the last whole publication."""
    from knowledge_base.index import confusions as kept
    from knowledge_base.publish import CACHE

    with one_sentence():
        folder = settings().knowledge_dir
        published = _published(folder)
        pairs = kept(folder / CACHE, published.catalogue.centre.code, published.kind)
    wanted = entry.replace("/", " ")
    pairs = [each for each in pairs if wanted in each["entry"] or wanted in each["taken_for"]][:limit]
    if as_json:
        _print_json(pairs)
        return
    for each in pairs:
        names = (each["entry"].replace(" ", "/"), each["taken_for"].replace(" ", "/") or "(nothing)")
        out.print(f"{each['count']:>3}  {names[0]} → {names[1]}   {each['example']}", markup=False)
    report("no phrasing was taken by another entry" if not pairs else f"{_count(len(pairs), 'pair')}")


def _published(folder: Path) -> Published:
    from knowledge_base.errors import KnowledgeError
    from knowledge_base.published import Published

    try:
        return Published.open(folder)
    except KnowledgeError as error:
        raise HotlineError(f"nothing usable is published: {error}") from error


def _print_findings(found: list[Finding], limit: int) -> None:
    from knowledge_base.review import KINDS

    counts = Counter(finding.kind for finding in found)
    for kind, heading in KINDS.items():
        if counts[kind]:
            out.print(f"{kind}: {heading} ({counts[kind]})", markup=False)
            of_kind = [finding for finding in found if finding.kind == kind]
            shown = of_kind[:limit] if limit else of_kind
            for finding in shown:
                out.print(f"  {finding.place}", markup=False)
            if len(shown) < len(of_kind):
                out.print(f"  … and {len(of_kind) - len(shown)} more (--limit 0 shows all)", markup=False)


def _as_json(who: str, day: date, problems: tuple[Problem, ...], found: list[Finding]) -> dict[str, Any]:
    from knowledge_base.review import KINDS

    counts = Counter(finding.kind for finding in found)
    return {
        "centre": who,
        "as_of": day.isoformat(),
        "problems": [_placed(problem) for problem in problems],
        "counts": {kind: counts[kind] for kind in KINDS},
        "findings": [{"kind": finding.kind, **_placed(finding.place)} for finding in found],
    }


def _placed(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "field": problem.field, "message": problem.message}


def _print_plan(plan: Plan) -> None:
    for entry in plan.entries:
        name = entry.key or "the matter"
        out.print(f"{entry.code}  {name}  {entry.kind}", markup=False)
        for line in _lines(entry):
            out.print(line, markup=False)
    aspects = Counter(entry.kind for entry in plan.entries if entry.key)
    report(" · ".join(f"{aspects[kind]} {kind}" for kind in ("added", "changed", "untouched")))


def _lines(entry: EntryChange) -> Iterator[str]:
    for change in entry.fields:
        yield f"    {change.name}"
        for mark, text in (("-", change.old), ("+", change.new)):
            yield from (f"      {mark} {line}" for line in text.split("\n") if text)


def _centre() -> str:
    """The centre of the settings."""
    return settings().centre


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
