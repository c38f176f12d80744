"""``python -m tests.load.own_data``: own data under load, and the rules while the core system hangs.

So many people, each bound to somebody of the sandbox's cast, say something every few seconds, in an open plan: a slow
answer does not slow the next person down. Half of the people ask for own data, half for the rules. The same plan runs
with the core system well and with it hung, in turns, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hotline.bootstrap import build_identification
from hotline.domain.fund import Factor, FactorKind
from hotline.domain.identity import Known, Purpose
from hotline.fund.http import HttpFundSystem
from hotline.logging import configure_logging
from hotline.services.identity import KEYPAD_BROWSER
from hotline.settings import Settings
from hotline.storage_bootstrap import build_storage
from tests.citizens import cast
from tests.load.figures import percentile
from tests.stack import Stack, running_stack

SEED = 12329
OWN = (
    "我的余额还有多少",
    "最近三个月的缴存明细",
    "我有没有断缴",
    "我的贷款还剩多少没还",
    "我的申请办到哪一步了",
    "去年6月到现在交了多少",
)
POLICY = (
    "租房提取要什么材料",
    "公积金贷款最高能贷多少",
    "离职多久可以提取公积金",
    "提前还款有没有违约金",
    "异地转移怎么办",
    "缴存比例最高是多少",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One answered message."""

    own: bool
    ms: float
    core_ms: float
    degraded: bool

    @property
    def ours_ms(self) -> float:
        """Without what the core system took."""
        return self.ms - self.core_ms


class _CaughtCodes:
    """A code sender that keeps the last code instead of sending it."""

    code = ""

    async def send(self, mobile: str, text: str) -> None:
        found = re.search(r"\d{6}", text)
        self.code = found[0] if found else ""


async def bind(stack: Stack, conversations: Sequence[str], people: Sequence[dict[str, Any]]) -> None:
    """Every conversation's contact is somebody of the cast, by the real service on the stack's database."""
    generous = stack.settings.identity.model_copy(update={"codes_per_minute": 50, "codes_per_hour": 50})
    settings: Settings = stack.settings.model_copy(update={"identity": generous})
    storage, fund, codes = build_storage(settings), HttpFundSystem(settings.fund), _CaughtCodes()
    service = build_identification(settings, storage, fund, codes=codes, on_proven=_nothing)
    for at, conversation in enumerate(conversations):
        person = people[at % len(people)]
        sign_in = await service.begin_keypad(conversation, Purpose.BIND)
        factor = Factor(kind=FactorKind.QUERY_PASSWORD, value=person["password"])
        await service.prove(
            sign_in.session,
            browser=KEYPAD_BROWSER,
            address=f"10.0.0.{at}",
            id_number=person["id_number"],
            factor=factor,
            consent=True,
        )
        await service.confirm(sign_in.session, browser=KEYPAD_BROWSER, code=codes.code)
    await fund.close()
    await storage.database.close()


async def _nothing(conversation_id: str, known: Known) -> None:
    """Nobody waits for these proofs."""


async def ask(client: httpx.AsyncClient, name: str, text: str) -> dict[str, Any]:
    """One message of the person ``name`` on WeChat, through inbox, Rasa and actions."""
    response = await client.post("/internal/turn", json={"text": text, "channel": "wechat", "conversation": name})
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


async def load(client: httpx.AsyncClient, *, people: int, seconds: float, every_s: float, seed: int) -> list[Turn]:
    """The open plan: each person a message every ``every_s`` seconds on average."""
    rng = random.Random(seed)  # noqa: S311 - a plan, no secret
    plan = sorted((rng.uniform(0, seconds), rng.randrange(people)) for _ in range(int(people * seconds / every_s)))
    began, turns = time.perf_counter(), []

    async def one(at: float, person: int, text: str, *, own: bool) -> None:
        await asyncio.sleep(max(0.0, at - (time.perf_counter() - began)))
        started = time.perf_counter()
        answer = await ask(client, f"load-{person}", text)
        ms = (time.perf_counter() - started) * 1000
        turns.append(Turn(own, ms, float(answer["hops"].get("core", 0.0)), bool(answer["degraded"])))

    # Half of them ask for own data, half for the rules: one's own slow message holds up one's own next one alone.
    wishes = [(at, person, person % 2 == 0) for at, person in plan]
    await asyncio.gather(*(one(at, person, rng.choice(OWN if own else POLICY), own=own) for at, person, own in wishes))
    return turns


async def fault(stack: Stack, mode: str) -> None:
    async with httpx.AsyncClient(base_url=stack.core_system, trust_env=False) as control:
        plan = {"mode": mode, "seconds": 30, "paths": "^/v1/", "times": 0}
        (await control.post("/control/faults", json=plan)).raise_for_status()


async def measure(stack: Stack, *, people: int, seconds: float, every_s: float, rounds: int) -> None:
    token = stack.settings.gateway.internal_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=people * 2)
    async with httpx.AsyncClient(
        base_url=stack.gateway, headers=headers, timeout=30, limits=limits, trust_env=False
    ) as client:
        conversations = [(await ask(client, f"load-{n}", "你好"))["conversation_id"] for n in range(people)]
        known = [person for person in cast(stack).values() if person["mobile"]]
        await bind(stack, conversations, known)
        for text in (*OWN, *POLICY):
            await ask(client, "load-0", text)
        found: dict[str, list[Turn]] = {"well": [], "hung": []}
        for number in range(rounds):
            for name, mode in (("well", "none"), ("hung", "hang")):
                await fault(stack, mode)
                found[name] += await load(client, people=people, seconds=seconds, every_s=every_s, seed=SEED + number)
                await fault(stack, "none")
                await asyncio.sleep(12)  # the circuit breaker closes again
    tell(found)


def tell(found: dict[str, list[Turn]]) -> None:
    for name, turns in found.items():
        own, rules = [t for t in turns if t.own], [t for t in turns if not t.own]
        print(f"core system {name}: {len(turns)} turns, {sum(t.degraded for t in turns)} degraded")  # noqa: T201
        for label, values in (
            ("own data, whole turn", [t.ms for t in own]),
            ("own data without the core's time", [t.ours_ms for t in own]),
            ("rules, whole turn", [t.ms for t in rules]),
        ):
            p50, p95 = percentile(values, 50), percentile(values, 95)
            print(f"  {label:34} n {len(values):5}  p50 {p50:7.1f}  p95 {p95:7.1f} ms")  # noqa: T201
    well = percentile([t.ms for t in found["well"] if not t.own], 95)
    hung = percentile([t.ms for t in found["hung"] if not t.own], 95)
    print(f"rules p95, core hung / core well: {hung / well:.3f}")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between two messages of one person")
    parser.add_argument("--rounds", type=int, default=2)
    wishes = parser.parse_args()
    configure_logging("CRITICAL", "load")
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder), GJJ_SANDBOX__FUND_PEOPLE="20000") as st:
        asyncio.run(
            measure(st, people=wishes.people, seconds=wishes.seconds, every_s=wishes.every, rounds=wishes.rounds)
        )


if __name__ == "__main__":
    main()
