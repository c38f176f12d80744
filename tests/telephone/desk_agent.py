"""An agent's page over HTTP: signs in, is ready, accepts what is offered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

SAME = {"Sec-Fetch-Site": "same-origin"}
DEMO_PASSWORD = "sandbox-12329-demo"


class DeskAgent:
    """`offers` are numbers of requests in the order they are offered."""

    def __init__(self, client: httpx.AsyncClient, csrf: str) -> None:
        self._client = client
        self._csrf = csrf
        self.offers: asyncio.Queue[str] = asyncio.Queue()
        self.kinds: list[str] = []

    @classmethod
    @asynccontextmanager
    async def ready(cls, base: str, name: str) -> AsyncIterator[DeskAgent]:
        async with httpx.AsyncClient(base_url=base, headers=SAME, trust_env=False, timeout=20) as client:
            form = {"name": name, "password": DEMO_PASSWORD, "next": ""}
            signed_in = await client.post("/staff/sign-in", data=form)
            assert signed_in.status_code == 303, signed_in.text[:300]
            page = await client.get("/desk", headers={"Accept": "text/html"})
            found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', page.text)
            assert found, page.text[:300]
            agent = cls(client, found[1])
            opened = asyncio.Event()
            reading = asyncio.create_task(agent._read(opened))
            try:
                async with asyncio.timeout(20):
                    await opened.wait()
                assert (await agent.does("/desk/state", state="ready")).status_code < 300
                yield agent
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError, httpx.HTTPError):
                    await reading

    async def does(self, path: str, **form: str) -> httpx.Response:
        return await self._client.post(path, data=form, headers={"X-CSRF-Token": self._csrf})

    async def accept(self, *, timeout_s: float = 30) -> str:
        """The next offer; the conversation that is his now."""
        async with asyncio.timeout(timeout_s):
            number = await self.offers.get()
        answer = await self.does(f"/desk/requests/{number}/accept")
        assert answer.status_code == 200, answer.text[:300]
        return str(answer.json()["conversation"])

    async def _read(self, opened: asyncio.Event) -> None:
        async with self._client.stream("GET", "/desk/events", timeout=None) as response:
            opened.set()
            data = ""
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    data = line[5:].strip()
                elif not line and data:
                    event, data = json.loads(data), ""
                    self.kinds.append(str(event.get("kind")))
                    if event.get("kind") == "offer":
                        self.offers.put_nowait(str(event["handover"]))
