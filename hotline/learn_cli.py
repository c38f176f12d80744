"""`hotline kb learn`: what people asked and the bot could not answer, for an editor to act on in one step."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hotline.console import one_sentence, out, settings
from hotline.console import report as say
from hotline.errors import ConfigError, TemporaryError
from hotline.settings import ROOT, Settings

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.learning_store import CaseState, LearningStore
    from hotline.services.clusters import Cluster
    from hotline.storage.last_report import LastReport
    from knowledge_base.embed import Embedder
    from knowledge_base.published import Published

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

DAYS = 30
CASE_HELP = "a number from the report (it stands for its whole group) or the words themselves"

JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="how far to look back")]
CaseOrText = Annotated[str, typer.Argument(metavar="CASE|TEXT", help=CASE_HELP)]
CaseNumber = Annotated[int, typer.Argument(metavar="CASE", min=1, help="a number from the report")]
By = Annotated[str, typer.Option(help="who decides; by default the user of this machine")]
Content = Annotated[Path, typer.Option(help="the folder of the content", hidden=True)]


@dataclass(frozen=True, slots=True)
class Meant:
    """What an editor acts on: the words, all words of the group, the numbers of its cases."""

    text: str
    texts: tuple[str, ...]
    cases: tuple[int, ...]


@app.command()
def report(
    days: Days = DAYS,
    limit: Annotated[int, typer.Option(min=1, help="groups shown")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Questions that went unanswered or were answered badly, alike ones together, the most pressing first."""
    from hotline.learn_output import cluster_json, cluster_lines, nearest

    with one_sentence():
        chosen = settings()
        made, published = _clusters(chosen, days)
        _last_report(chosen).save([case.inbox_id for case in cluster.cases] for cluster in made)
        titles = [(cluster, published.matcher.match(cluster.title)) for cluster in made[:limit]]
        shown = [(cluster, nearest(match, published.catalogue)) for cluster, match in titles]
    if as_json:
        out.print_json(data=[cluster_json(*each) for each in shown], ensure_ascii=False)
        return
    for each in shown:
        for line in cluster_lines(*each):
            out.print(line, markup=False)
    say(f"{sum(len(cluster.cases) for cluster in made)} cases in {len(made)} groups, {len(shown)} shown")
    if shown:
        say("next: learn add CASE CODE/ASPECT, learn new CASE …, learn dismiss CASE --note …")


@app.command()
def add(
    what: CaseOrText,
    entry: Annotated[str, typer.Argument(metavar="CODE/ASPECT", help="the entry that answers it")],
    words: Annotated[str, typer.Option("--as", help="write these words instead of the citizen's")] = "",
    days: Days = DAYS,
    by: By = "",
    content: Content = ROOT / "knowledge_base",
) -> None:
    """Put the phrasing among the questions of an entry, and the cases of its group down as dealt with."""
    from hotline.learning_store import CaseState
    from hotline.services.phrasings import EntryName, add_phrasing

    with one_sentence():
        chosen = settings()
        name = EntryName.parse(entry)
        meant = _meant(chosen, what, days)
        added = add_phrasing(content, centre=chosen.centre, entry=name, text=words or meant.text)
        say(f"{added.text} stands at {content / added.file}:{added.line} now")
        _decide(chosen, meant.cases, state=CaseState.ADDED, entry=str(name), by=by)
    say("publish it with: hotline train")


@app.command()
def new(
    what: CaseOrText,
    code: Annotated[str, typer.Option(help="of the matter, a new one or an existing one")],
    title: Annotated[str, typer.Option(help="the question the entry answers, at most 40 characters")],
    name: Annotated[str, typer.Option(help="of a new matter")] = "",
    topic: Annotated[str, typer.Option(help="of a new matter")] = "",
    aspect: Annotated[str, typer.Option(help="overview for a new matter, q_… for a question of its own")] = "overview",
    days: Days = DAYS,
    by: By = "",
    content: Content = ROOT / "knowledge_base",
) -> None:
    """Begin an entry that does not exist yet: a draft with the group's words, its answer left to the editor."""
    from hotline.domain.clock import today
    from hotline.learning_store import CaseState
    from hotline.services.drafts import Skeleton, new_draft
    from hotline.services.phrasings import EntryName

    with one_sentence():
        chosen = settings()
        skeleton = Skeleton(entry=EntryName(code, aspect), title=title, name=name, topic=topic)
        meant = _meant(chosen, what, days)
        drafted = new_draft(content, centre=chosen.centre, skeleton=skeleton, texts=meant.texts, day=today())
        left = f", {drafted.left_out} left out (personal data, too long, known or too many)" if drafted.left_out else ""
        say(f"{drafted.file} holds {len(drafted.questions)} phrasings{left}; nothing loads it yet")
        _decide(chosen, meant.cases, state=CaseState.ADDED, entry=str(skeleton.entry), note="draft", by=by)
    say("write its answer and sources, move it into catalogue/, then: hotline train")


@app.command()
def dismiss(
    case: CaseNumber,
    note: Annotated[str, typer.Option(help="why nothing is to be added")],
    by: By = "",
) -> None:
    """Put the cases of a group down as needing nothing; the same words are not reported again."""
    from hotline.learning_store import CaseState

    with one_sentence():
        if not note.strip():
            raise ConfigError("say why with --note")
        chosen = settings()
        _decide(chosen, tuple(_group(chosen, case)), state=CaseState.DISMISSED, note=note.strip(), by=by)


@app.command()
def reopen(case: CaseNumber, note: Annotated[str, typer.Option(help="why")] = "", by: By = "") -> None:
    """Take a decision back: the cases of the group are reported again. A phrasing that was written stays."""
    from hotline.learning_store import CaseState

    with one_sentence():
        chosen = settings()
        _decide(chosen, tuple(_group(chosen, case)), state=CaseState.NEW, note=note.strip(), by=by)


@app.command()
def hot(
    days: Days = DAYS,
    limit: Annotated[int, typer.Option(min=1, help="entries shown")] = 30,
    as_json: JsonFlag = False,
) -> None:
    """The entries asked most, how often citizens found fault with them, and against the same time before."""
    from hotline.domain.clock import utc_now
    from hotline.learn_output import entry_title, hot_json, hot_line
    from hotline.services.learning import hot_entries

    with one_sentence():
        chosen = settings()
        found = _with_store(chosen, lambda store: hot_entries(store, now=utc_now(), days=days))[:limit]
        catalogue = _published(chosen).catalogue
    titled = [(each, entry_title(catalogue, each.code, each.aspect)) for each in found]
    if as_json:
        out.print_json(data=[hot_json(*each) for each in titled], ensure_ascii=False)
        return
    for pair in titled:
        out.print(hot_line(*pair), markup=False)
    if not titled:
        say(f"nothing was answered in the last {days} days")


def _clusters(chosen: Settings, days: int) -> tuple[list[Cluster], Published]:
    from hotline.domain.clock import utc_now
    from hotline.services.clusters import clusters
    from hotline.services.learning import read_cases, undecided

    now, small = utc_now(), _small_embedder()
    published = _published(chosen, small)
    found = undecided(_with_store(chosen, lambda store: read_cases(store, now=now, days=days)))
    cores = [published.core(case.text) or case.text for case in found]
    return clusters(found, cores, small.embed_many, now=now), published


def _small_embedder() -> Embedder:
    """The small model alone: it groups as well as both (measured) and takes a twentieth of the time. One thread:
    on a machine that is busy two wait for each other and take five times as long."""
    from knowledge_base.embed import Embedder

    return Embedder(use_only=True)


def _published(chosen: Settings, embedder: Embedder | None = None) -> Published:
    from knowledge_base.errors import KnowledgeError
    from knowledge_base.published import Published

    try:
        return Published.open(chosen.knowledge_dir, embedder=embedder)
    except KnowledgeError as error:
        raise ConfigError(f"no usable knowledge is published, run `hotline train`: {error}") from error


def _meant(chosen: Settings, what: str, days: int) -> Meant:
    from hotline.domain.clock import utc_now
    from hotline.services.learning import read_cases, worded_like

    if what.strip().isdecimal():
        group = _group(chosen, case := int(what))
        texts = _with_store(chosen, lambda store: store.texts(group))
        if case not in texts:
            raise ConfigError(f"message {case} is no longer stored")
        others = (texts[each] for each in group if each in texts)
        return Meant(texts[case], tuple(dict.fromkeys([texts[case], *others])), tuple(group))
    found = _with_store(chosen, lambda store: read_cases(store, now=utc_now(), days=days))
    return Meant(what, (what,), tuple(case.inbox_id for case in worded_like(found, what)))


def _group(chosen: Settings, case: int) -> list[int]:
    group = _last_report(chosen).group(case)
    if group is None:
        raise ConfigError(f"case {case} is not in the last report: run `learn report` first")
    return group


def _last_report(chosen: Settings) -> LastReport:
    from hotline.storage.last_report import LastReport

    return LastReport(chosen.state_dir / "learning" / "last-report.json")


def _decide(
    chosen: Settings, cases: tuple[int, ...], *, state: CaseState, by: str, entry: str | None = None, note: str = ""
) -> None:
    from hotline.learning_store import Decision

    decision = Decision(state=state, by=(by.strip() or _user())[:64], entry=entry, note=note)
    decided = _with_store(chosen, lambda store: store.decide(cases, decision)) if cases else 0
    before = f", {len(cases) - decided} had been decided before" if decided < len(cases) else ""
    say(f"{decided} cases are {state.value}{before}")


def _with_store(chosen: Settings, work: Callable[[LearningStore], Awaitable[T]]) -> T:
    from sqlalchemy.exc import DBAPIError

    from hotline.storage_bootstrap import build_storage

    async def run() -> T:
        storage = build_storage(chosen)
        try:
            return await work(storage.learning)
        finally:
            await storage.database.close()

    try:
        return asyncio.run(run())
    except (TemporaryError, DBAPIError) as error:
        what = str(error) if isinstance(error, TemporaryError) else type(error).__name__
        raise ConfigError(f"the database does not answer, or needs `hotline migrate` ({what})") from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
