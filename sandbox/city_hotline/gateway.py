"""The city hotline's requests to the gateway."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from sandbox.city_hotline.book import Book, Json, Order
from sandbox.city_hotline.config import CityConfig
from sandbox.city_hotline.shapes import CancelIn, DeliverIn, RemindIn
from sandbox.city_hotline.signing import signed

PREFIX = "/exchange/city-hotline/v1"


class Gateway:
    """Delivers, reminds, cancels and asks, each request signed."""

    def __init__(self, config: CityConfig, book: Book, client: httpx.AsyncClient) -> None:
        self._config, self._book, self._client = config, book, client

    async def deliver(self, form: DeliverIn) -> list[Json]:
        """What every copy was answered."""
        city_id = form.city_id or self._book.new_id()
        body = form.model_dump(exclude={"city_id", "copies"})
        order = self._book.orders.setdefault(city_id, Order(city_id=city_id, body=body))
        path = f"{PREFIX}/orders/{city_id}"
        told = await asyncio.gather(*(self._send("PUT", path, body) for _ in range(form.copies)))
        for each in told:
            if each["status"] in (200, 201):
                order.receipt, order.status = each["answer"], each["status"]
        self._book.save()
        return [{"city_id": city_id, **each} for each in told]

    async def remind(self, form: RemindIn) -> Json:
        path = f"{PREFIX}/orders/{form.city_id}/reminders/{form.reminder_id}"
        return await self._send("PUT", path, {"text": form.text})

    async def cancel(self, form: CancelIn) -> Json:
        return await self._send("PUT", f"{PREFIX}/orders/{form.city_id}/cancellation", {"reason": form.reason})

    async def ask(self, city_id: str) -> Json:
        return await self._send("GET", f"{PREFIX}/orders/{city_id}")

    async def _send(self, method: str, path: str, body: Json | None = None) -> Json:
        """Status and answer; status 0 where nobody answered."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        own = self._config
        headers = signed(method, path, content, client=own.own_id, secret=own.own_secret)
        try:
            response = await self._client.request(
                method,
                own.gateway_url.rstrip("/") + path,
                content=content,
                headers={**headers, "Content-Type": "application/json"},
                timeout=own.timeout_s,
            )
            answer: Any = response.json()
        except (httpx.HTTPError, ValueError) as error:
            return {"status": 0, "answer": {"code": type(error).__name__}}
        return {"status": response.status_code, "answer": answer}
