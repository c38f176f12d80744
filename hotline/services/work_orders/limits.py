"""The figures of work orders, from limits.yml beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

import yaml

from hotline.domain.work_order_time import ServiceHours
from hotline.domain.work_orders import OrderType

FILE = Path(__file__).with_name("limits.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLimits:
    """``workdays``: until when an order of each type is done. Percentages are whole."""

    workdays: Mapping[OrderType, int]
    remind_percent: int
    extension_workdays: int
    visit_workdays: int
    visit_tries: int
    alike_percent: int
    alike_days: int
    hours: ServiceHours


def order_limits(centre: str) -> OrderLimits:
    """The centre's figures, over those of everybody."""
    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    own: dict[str, Any] = data["centres"].get(centre, {})
    figures = {**data["figures"], **own.get("figures", {})}
    hours = own.get("hours", data["hours"])
    others = ("remind_percent", "extension_workdays", "visit_workdays", "visit_tries", "alike_percent", "alike_days")
    return OrderLimits(
        workdays={each: int(figures[f"{each.value}_workdays"]["value"]) for each in OrderType},
        hours=ServiceHours(opens=time.fromisoformat(hours["opens"]), closes=time.fromisoformat(hours["closes"])),
        **{name: int(figures[name]["value"]) for name in others},
    )
