"""A catalogue small enough to read, and matches as the matcher would make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hotline.domain.messages import ChannelName
from hotline.services.offers import Question
from knowledge_base.facts import Facts
from knowledge_base.match import AspectGuess, Candidate, Entry, Match
from knowledge_base.model import Aspect, Branch, Catalogue, Centre, Matter, Parameter, ParameterValue, Source
from knowledge_base.normalise import Normalised

TODAY = date(2026, 11, 23)
RULE = Source(id="rule", title="测试办法第三条", issued_on=date(2024, 1, 1), url="http://example.invalid/rule")


def _aspect(key: str, title: str, text: str, short: str, **more: Any) -> Aspect:
    return Aspect(key=key, title=title, text=text, short=short, source_ids=("rule",), **more)


def _branch(fact: str, **to: str) -> Branch:
    return Branch(fact=fact, to=to)


def _matter(
    code: str, name: str, *aspects: Aspect, topic: str = "其他", scope: str = "fund", popularity: int = 0
) -> Matter:
    return Matter(
        code=code,
        name=name,
        topic=topic,
        scope=scope,
        aspects={aspect.key: aspect for aspect in aspects},
        sources={"rule": RULE},
        effective_from=date(2020, 1, 1),
        popularity=popularity,
    )


RENT = _matter(
    "rent",
    "租房提取",
    _aspect(
        "overview",
        "租房能不能提取",
        "能提。租房每月最多提{rent_limit}。",
        "能提，每月最多{rent_limit}。",
        plain="租房子的钱可以从公积金里拿，每月{rent_limit}。",
    ),
    _aspect("materials", "租房提取带什么", "带身份证和银行卡。", "带身份证和银行卡。"),
    _aspect("amount", "租房提取提多少", "每月最多{rent_limit}，自{rent_limit.from}起。", "每月最多{rent_limit}。"),
    _aspect("time_limit", "租房提取几天到账", "3个工作日到账。", "3个工作日到账。"),
    topic="提取-租房",
    popularity=90,
)
LEAVE = _matter(
    "leave",
    "离职提取",
    _aspect("overview", "离职能不能提取", "能提，封存满半年。", "能提，封存满半年。"),
    _aspect("materials", "离职提取带什么", "带离职证明。", "带离职证明。"),
    topic="提取-离职",
    popularity=80,
)
LOAN = _matter(
    "loan",
    "贷款额度",
    _aspect("overview", "贷款能贷多少", "看余额。", "看余额。"),
    topic="贷款-额度",
    popularity=70,
)
BUY = _matter(
    "buy",
    "购房提取",
    _aspect(
        "overview",
        "买房能不能提取",
        "买房能提，看房子在哪。",
        "买房能提。",
        branch=_branch("house_place", here="q_here", elsewhere="q_elsewhere"),
    ),
    _aspect(
        "q_here",
        "买本地的房怎么提",
        "本地的房凭网签合同提。",
        "凭网签合同提。",
        branch=_branch("home_count", first="q_first", second="q_second"),
    ),
    _aspect("q_elsewhere", "买外地的房怎么提", "外地的房凭不动产权证提。", "凭不动产权证提。"),
    _aspect(
        "q_first",
        "首套怎么提",
        "首套可以提首付。",
        "首套可以提首付。",
        branch=_branch("payer", employer="q_first", flexible="q_flexible"),
    ),
    _aspect("q_second", "二套怎么提", "二套不能提首付。", "二套不能提首付。"),
    _aspect("q_flexible", "灵活就业首套怎么提", "灵活就业的首套缴满一年再提。", "缴满一年再提。"),
    Aspect(key="fee", title="购房提取收不收费"),
    topic="提取-购房",
    popularity=10,
)
"""Where its house is, which house and who pays are asked back for; nobody has written about its fee."""
TAX = _matter(
    "tax", "个税", _aspect("overview", "个税找谁", "不归公积金中心，请拨打12366。", "请拨打12366。"), scope="outside"
)
CATALOGUE = Catalogue(
    centre=Centre(code="test", name="测试中心", city="测试", sms_signature="【测试】"),
    matters={matter.code: matter for matter in (RENT, LEAVE, LOAN, BUY, TAX)},
    parameters={
        "rent_limit": Parameter(
            name="rent_limit",
            title="租房限额",
            unit="元",
            values=(
                ParameterValue(
                    value="1400", effective_from=date(2020, 1, 1), effective_to=date(2024, 12, 31), source=RULE
                ),
                ParameterValue(value="2000", effective_from=date(2025, 1, 1), effective_to=None, source=RULE),
            ),
        )
    },
)


def match(
    text: str,
    ranked: Mapping[str, float],
    *,
    aspect: str | None = "overview",
    cue: bool = False,
    named: bool = True,
    exact: str | None = None,
    outside: float = 0.0,
    facts: Facts | None = None,
    also: Mapping[str, float] | None = None,
) -> Match:
    """A match of ``text`` with the matters ``ranked`` by probability, best first.

    ``also``: further entries (``code/aspect``) with their probabilities.
    """
    matters = CATALOGUE.matters
    entries = [Entry(code=code, aspect=aspect or "overview", p=p) for code, p in ranked.items()]
    for name, p in (also or {}).items():
        code, _, key = name.partition("/")
        entries.append(Entry(code=code, aspect=key, p=p))
    return Match(
        normalised=Normalised(text, text, text),
        candidates=tuple(
            Candidate(code=code, name=matters[code].name, topic=matters[code].topic, scope=matters[code].scope, p=p)
            for code, p in ranked.items()
        ),
        aspect=aspect,
        aspect_p=0.9,
        aspect_cue=cue,
        aspects=tuple(AspectGuess(code=code, aspect=aspect or "overview", p=0.9) for code in ranked),
        mentions=tuple(ranked)[:1] if named else (),
        exact=exact,
        asks_outside=outside,
        entries=tuple(sorted(entries, key=lambda entry: -entry.p)),
        facts=facts or Facts(),
    )


def question(text: str, found: Match | None = None, **changes: object) -> Question:
    """A question on the web, today, about the fund, unless ``changes`` say otherwise."""
    asked = Question(text=text, intent="ask_knowledge", channel=ChannelName.WEB, today=TODAY, match=found)
    return replace(asked, **changes)  # type: ignore[arg-type]
