"""``python -m tests.load.desk``: a desk under load, over HTTP, as agents' pages and WeChat use it.

So many agents are signed in, each with one stream of events; so many citizens ask for a person and are accepted. Then
citizens and agents say something at a steady rate, and now and then a conversation ends and its citizen asks again. At
the end every transcript and what WeChat was sent are read and counted: nothing lost, doubled or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from hotline.domain.messages import ChannelName
from hotline.storage.migrate import migrate
from hotline.storage_bootstrap import build_storage
from tests.core_kit import settings_in
from tests.databases import database_url
from tests.load.figures import percentile
from tests.staff_kit import PASSWORD

SAME = {"Sec-Fetch-Site": "same-origin"}
_LINE = re.compile(r"[ca]-(\d+)")


@dataclass
class Agent:
    """One agent's page."""

    name: str
    client: httpx.AsyncClient
    csrf: str = ""
    holds: set[str] = field(default_factory=set)

    async def sign_in(self) -> None:
        form = {"name": self.name, "password": PASSWORD, "next": ""}
        signed_in = await self.client.post("/staff/sign-in", data=form, headers=SAME)
        assert signed_in.status_code == 303, signed_in.text[:300]
        page = await self.client.get("/desk", headers={"Accept": "text/html"})
        found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', page.text)
        assert found, page.text[:300]
        self.csrf = found[1]

    async def does(self, path: str, **form: str) -> httpx.Response:
        return await self.client.post(path, data=form, headers={**SAME, "X-CSRF-Token": self.csrf})


@dataclass
class Run:
    """What a run finds."""

    base: str
    agents: list[Agent]
    seed: int = 12329
    owner_ms: list[float] = field(default_factory=list)
    screen_ms: list[float] = field(default_factory=list)
    say_ms: list[float] = field(default_factory=list)
    said_at: dict[str, float] = field(default_factory=dict)
    waiting_since: dict[str, float] = field(default_factory=dict)
    holder: dict[str, Agent] = field(default_factory=dict)
    citizen_of: dict[str, str] = field(default_factory=dict)
    expected: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    to_citizen: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    pending: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    ids: int = 0

    def next_id(self) -> int:
        self.ids += 1
        return self.ids


async def stream(run: Run, agent: Agent) -> None:
    """The agent's one stream: offers are accepted, a new line is fetched as its page does."""
    while True:
        async with agent.client.stream("GET", "/desk/events", timeout=None) as response:
            data = ""
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    data = line[5:].strip()
                elif not line and data:
                    event, data = json.loads(data), ""
                    asyncio.get_running_loop().create_task(on_event(run, agent, event))


async def on_event(run: Run, agent: Agent, event: dict[str, object]) -> None:
    kind, conversation = event.get("kind"), str(event.get("conversation", ""))
    if kind == "offer":
        await accept(run, agent, str(event["handover"]))
    elif kind == "line" and conversation in run.pending:
        said = run.pending.pop(conversation)
        fragment = await agent.client.get(f"/desk/c/{conversation}/row")
        if fragment.status_code == 200:
            run.screen_ms.append((time.perf_counter() - run.said_at[said]) * 1000)


async def accept(run: Run, agent: Agent, handover: str) -> None:
    started = time.perf_counter()
    answer = await agent.does(f"/desk/requests/{handover}/accept")
    if answer.status_code != 200:
        run.refused += 1
        return
    run.owner_ms.append((time.perf_counter() - started) * 1000)
    conversation = answer.json()["conversation"]
    agent.holds.add(conversation)
    run.holder[conversation] = agent


async def citizen_says(run: Run, client: httpx.AsyncClient, citizen: str, text: str) -> None:
    run.said_at[text] = time.perf_counter()
    await client.post(f"/channels/wechat?id={citizen}-{run.next_id()}&from={citizen}", content=text.encode())


async def agent_says(run: Run, conversation: str) -> None:
    agent, text = run.holder[conversation], f"a-{run.next_id()}"
    citizen = run.citizen_of[conversation]
    run.expected[citizen].append(text)
    run.to_citizen[citizen].append(text)
    started = time.perf_counter()
    answer = await agent.does(f"/desk/c/{conversation}/lines", client_id=text, text=text)
    run.say_ms.append((time.perf_counter() - started) * 1000)
    if answer.status_code != 200:
        run.expected[citizen].remove(text)
        run.to_citizen[citizen].remove(text)
        run.refused += 1


async def opened(run: Run, client: httpx.AsyncClient, conversations: int, *, at_once: int) -> None:
    """So many citizens have asked for a person and are held."""
    places = asyncio.Semaphore(at_once)

    async def one(citizen: str, text: str) -> None:
        async with places:
            await citizen_says(run, client, citizen, text)

    asking = []
    for number in range(conversations):
        citizen = f"o{number:05}"
        text = f"c-{run.next_id()}"
        run.expected[citizen].append(text)
        asking.append(one(citizen, text))
    await asyncio.gather(*asking)
    for _ in range(600):
        if len(run.holder) >= conversations:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"only {len(run.holder)} of {conversations} conversations were accepted")


async def talk(run: Run, client: httpx.AsyncClient, *, rate: float, seconds: float, ends_every_s: float) -> float:
    """Says so many things a second, half by citizens and half by agents; how long it took."""
    rng = random.Random(run.seed)  # noqa: S311 - a plan, no secret
    tasks: set[asyncio.Task[None]] = set()
    busy: set[str] = set()
    began = time.perf_counter()
    next_end = began + ends_every_s
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        free = [each for each in rng.sample(sorted(run.holder), 8) if each not in busy]
        if not free:
            continue
        conversation = free[0]
        if time.perf_counter() >= next_end:
            next_end += ends_every_s
            step = again(run, client, conversation)
        elif number % 2:
            step = agent_says(run, conversation)
        else:
            text = f"c-{run.next_id()}"
            run.expected[run.citizen_of[conversation]].append(text)
            run.pending[conversation] = text
            step = citizen_says(run, client, run.citizen_of[conversation], text)
        busy.add(conversation)
        task = asyncio.create_task(step)
        tasks.add(task)
        task.add_done_callback(lambda done, held=conversation: (tasks.discard(done), busy.discard(held)))
    await asyncio.gather(*tasks)
    return time.perf_counter() - began


async def again(run: Run, client: httpx.AsyncClient, conversation: str) -> None:
    """The conversation ends, is filed, and its citizen asks for a person once more."""
    agent, citizen = run.holder.pop(conversation), run.citizen_of[conversation]
    agent.holds.discard(conversation)
    started = time.perf_counter()
    ended = await agent.does(f"/desk/c/{conversation}/end")
    run.owner_ms.append((time.perf_counter() - started) * 1000)
    if ended.status_code >= 400:
        run.refused += 1
    text = f"c-{run.next_id()}"
    run.expected[citizen].append(text)
    await citizen_says(run, client, citizen, text)


@asynccontextmanager
async def gateway(folder: Path, database: str, *, agents: int, capacity: int) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.load.desk_gateway", str(port), database, str(folder)]
    process = await asyncio.create_subprocess_exec(*command, str(agents), str(capacity))
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            for _ in range(300):
                try:
                    if (await client.get("/ready")).status_code < 500:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
        yield base
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def measure(kind: str, *, agents: int, conversations: int, rate: float, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with database_url(kind, folder) as url:
            await asyncio.to_thread(migrate, url)
            capacity = -(-conversations // agents) + 5
            async with gateway(folder, url, agents=agents, capacity=capacity) as base:
                whose = partial(citizens, folder, url)
                run = await load(base, whose, agents=agents, conversations=conversations, rate=rate, seconds=seconds)
                counted = await count(run, folder, url)
            log = (folder / "sent.jsonl").read_text(encoding="utf-8")
            sent = [json.loads(line) for line in log.splitlines()]
            tell(kind, run, counted, sent_wrong(run, sent), agents=agents, conversations=conversations)


async def load(
    base: str,
    whose: Callable[[], Awaitable[dict[str, str]]],
    *,
    agents: int,
    conversations: int,
    rate: float,
    seconds: float,
) -> Run:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=500)
    options = {"base_url": base, "timeout": 30, "limits": limits, "trust_env": False}
    run = Run(base, [Agent(f"agent{n:03}", httpx.AsyncClient(**options)) for n in range(agents)])  # type: ignore[arg-type]
    for agent in run.agents:
        await agent.sign_in()
    streams = [asyncio.create_task(stream(run, agent)) for agent in run.agents]
    await asyncio.sleep(2)
    for agent in run.agents:
        (await agent.does("/desk/state", state="ready")).raise_for_status()
    async with httpx.AsyncClient(**options) as client:  # type: ignore[arg-type]
        began = time.perf_counter()
        await opened(run, client, conversations, at_once=8)
        print(f"  {conversations} conversations held after {time.perf_counter() - began:.0f} s", flush=True)  # noqa: T201
        run.citizen_of = await whose()
        run.owner_ms.clear()
        took = await talk(run, client, rate=rate, seconds=seconds, ends_every_s=1.0)
        print(f"  said {rate * seconds:.0f} things in {took:.0f} s", flush=True)  # noqa: T201
        await asyncio.sleep(5)
    for task in streams:
        task.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    for agent in run.agents:
        await agent.client.aclose()
    return run


async def citizens(folder: Path, url: str) -> dict[str, str]:
    """Whose each open conversation is."""
    storage = build_storage(settings_in(folder, database_url=url))
    found = {each.id: each.address for each in await storage.desks.live(limit=10_000)}
    await storage.database.close()
    return found


async def count(run: Run, folder: Path, url: str) -> dict[str, int]:
    """What the transcripts say against what was said."""
    storage = build_storage(settings_in(folder, database_url=url))
    wrong = {"lost": 0, "doubled": 0, "disordered": 0, "lines": 0}
    for citizen, said in run.expected.items():
        lines = await storage.store.lines(ChannelName.WECHAT, citizen, after=0, limit=5000)
        found = [line.text for line in lines if line.author in ("citizen", "agent")]
        wrong["lines"] += len(found)
        wrong["lost"] += len(set(said) - set(found))
        wrong["doubled"] += len(found) - len(set(found))
        wrong["disordered"] += [each for each in found if each in set(said)] != [
            each for each in said if each in set(found)
        ]
    await storage.database.close()
    return wrong


def sent_wrong(run: Run, sent: Sequence[Sequence[str]]) -> dict[str, int]:
    """The same of what WeChat was sent."""
    by_citizen: dict[str, list[str]] = defaultdict(list)
    for address, text in sent:
        if _LINE.fullmatch(text):
            by_citizen[address].append(text)
    wrong = {"lost": 0, "doubled": 0, "disordered": 0}
    for citizen, said in run.to_citizen.items():
        found = by_citizen[citizen]
        wrong["lost"] += len(set(said) - set(found))
        wrong["doubled"] += len(found) - len(set(found))
        wrong["disordered"] += [each for each in said if each in set(found)] != list(dict.fromkeys(found))
    return wrong


def tell(
    kind: str, run: Run, counted: dict[str, int], sent: dict[str, int], *, agents: int, conversations: int
) -> None:
    print(f"{kind}: {agents} agents, {conversations} open conversations")  # noqa: T201
    for label, values in (
        ("owner change", run.owner_ms),
        ("citizen's message on the agent's screen", run.screen_ms),
        ("agent's message stored", run.say_ms),
    ):
        p50, p95 = percentile(values, 50), percentile(values, 95)
        print(f"  {label:42} n {len(values):6}  p50 {p50:7.1f}  p95 {p95:7.1f} ms")  # noqa: T201
    print(f"  transcripts: {counted}  sent to WeChat: {sent}  refused: {run.refused}")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=60)
    parser.add_argument("--seconds", type=float, default=300)
    given = parser.parse_args()
    asyncio.run(
        measure(
            given.database,
            agents=given.agents,
            conversations=given.conversations,
            rate=given.rate,
            seconds=given.seconds,
        )
    )


if __name__ == "__main__":
    main()
