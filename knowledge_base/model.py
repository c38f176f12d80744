"""What the knowledge base holds, as plain immutable records.

A *matter* (事项) is one entry of the service matter catalogue; an *aspect* is one question about it
that is answered on its own (conditions, materials, amount …). Figures live in *parameters*: a name,
a unit and dated values, each with its source, so that one change changes every answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # that module is about conditions alone
    from knowledge_base.eligibility import Eligibility

STRENGTHS = ("official", "reposted", "weak")
"""How far a source can be trusted: read on an official page, reposted by a third party, or one weak page."""

ASPECTS = (
    "overview",  # 能不能, 怎么回事
    "conditions",  # 谁能办, 什么条件
    "materials",  # 要什么材料
    "steps",  # 怎么办
    "time_limit",  # 多久
    "channels",  # 在哪办, 入口
    "fee",  # 收费
    "amount",  # 多少
    "frequency",  # 多久一次, 几次
    "exclusions",  # 什么情况不行
    "basis",  # 依据
)
"""Aspect keys every matter may use. A stand-alone question uses a key of its own that starts with ``q_``."""

TOPICS = (
    "查询", "开户", "缴存", "汇缴", "补缴", "缓缴", "降比例", "转移", "提取-购房", "提取-租房", "提取-退休",
    "提取-离职", "提取-还贷", "提取-大病", "提取-老旧小区", "提取-其他", "贷款-条件", "贷款-额度", "贷款-利率",
    "贷款-流程", "贷款-还款", "贷款-提前还款", "贷款-异地", "账户-密码", "渠道-指南", "网点", "投诉", "其他",
)  # fmt: skip
"""Coarse classes that every matter belongs to."""

KINDS = ("service", "guide")
"""``service``: business that is filed, so every one of `SERVICE_ASPECTS` is asked about it; ``guide``: advice."""

SERVICE_ASPECTS = (
    "overview", "conditions", "materials", "steps", "time_limit", "channels", "fee", "exclusions", "basis",
)  # fmt: skip
"""What a service must answer; amount and frequency only where there is one."""

FACTS: Mapping[str, tuple[str, ...]] = {
    "hukou": ("local", "outside"),  # 本地/外地户籍
    "payer": ("employer", "flexible"),  # 单位缴存/灵活就业
    "home_count": ("first", "second"),  # 首套/二套
    "house_place": ("here", "elsewhere"),  # 房子在本市/外地
    "loan_state": ("unpaid", "settled"),  # 贷款未结清/已结清
}
"""What a citizen may be asked back for, because the answer depends on it, with the values it can have."""

SCOPES = ("fund", "outside")
"""``outside``: not the fund's business; the entry says so and names who is responsible."""

AUDIENCES = ("person", "employer", "flexible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a statement comes from. ``issued_on`` is the rule's date, not the day it was read."""

    id: str
    title: str
    issued_on: date | None = None
    url: str | None = None
    strength: str = "official"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterValue:
    """A figure valid from ``effective_from`` (inclusive) to ``effective_to`` (inclusive; None: open)."""

    value: str  # decimal digits, kept as text so that 2.10 stays 2.10
    effective_from: date
    effective_to: date | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A named figure. ``unit`` is the Chinese unit printed after the value, such as 元, 万元, % or 个月."""

    name: str
    title: str
    unit: str
    values: tuple[ParameterValue, ...]
    review_on: date | None = None

    def on(self, day: date) -> ParameterValue | None:
        """The value in force on ``day``, or None when none is."""
        for value in self.values:
            if value.effective_from <= day and (value.effective_to is None or day <= value.effective_to):
                return value
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The answer depends on ``fact``: each known value has an aspect of the same matter that answers for it."""

    fact: str
    to: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One question about a matter and its approved answer.

    ``text`` is the full answer (WeChat, web); ``short`` stands alone in at most 60 characters once
    rendered (one turn on the telephone); ``sms`` is for SMS where ``short`` says too little; ``plain`` says
    it again in everyday words. ``{parameter}`` in any of them is replaced by the figure in force.
    An aspect that this centre has not answered (only the national base asks it) has no ``text``: the question
    is recognised, and the citizen is told so.
    """

    key: str
    title: str
    text: str = ""
    short: str = ""
    sms: str | None = None
    plain: str | None = None
    branch: Branch | None = None
    questions: tuple[str, ...] = ()
    source_ids: tuple[str, ...] = ()
    related: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One entry of the service matter catalogue, as one centre answers it."""

    code: str
    name: str
    topic: str
    scope: str = "fund"
    kind: str = "service"
    audience: tuple[str, ...] = ("person",)
    aliases: tuple[str, ...] = ()
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    effective_from: date | None = None
    effective_to: date | None = None
    review_on: date | None = None
    centre: str = "national"
    popularity: int = 0  # order in menus: larger first

    def in_force(self, day: date) -> bool:
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Who answers: names and numbers that answers mention."""

    code: str
    name: str
    city: str
    sms_signature: str
    hotline: str = "12329"
    here: tuple[str, ...] = ()
    """Names that mean the centre's own place: the city, its other names, its districts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything one centre answers from: national entries with the centre's own laid over them."""

    centre: Centre
    matters: Mapping[str, Matter]
    parameters: Mapping[str, Parameter]
    eligibility: Mapping[str, Eligibility] = field(default_factory=dict)
    """Conditions that can be checked against a person's own data, by matter code."""
    version: str = ""
