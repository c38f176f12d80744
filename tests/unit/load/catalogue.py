"""A small catalogue for these tests."""

from __future__ import annotations

from functools import cache

from hotline.settings import ROOT
from knowledge_base.loader import load
from knowledge_base.model import Aspect, Catalogue, Centre, Matter


def matter(
    code: str, topic: str, questions: dict[str, list[str]], *, popularity: int = 0, scope: str = "fund"
) -> Matter:
    aspects = {
        key: Aspect(key=key, title=f"{code} {key}", text=f"{code}能办。", short="能办。", questions=tuple(texts))
        for key, texts in questions.items()
    }
    return Matter(code=code, name=f"事项{code}", topic=topic, scope=scope, aspects=aspects, popularity=popularity)


def catalogue() -> Catalogue:
    matters = [
        matter(
            "withdraw-rent",
            "提取-租房",
            {"overview": ["租房能取吗", "在外租房住能不能提"], "amount": ["租房一个月能取多少"]},
            popularity=90,
        ),
        matter("loan-rate", "贷款-利率", {"overview": ["现在利率多少", "首套房利率是几"]}, popularity=50),
        matter("query-balance", "查询", {"overview": ["我账户里有多少钱"]}, popularity=100),
        matter("outside-tax", "其他", {"overview": ["契税怎么交"]}, scope="outside"),
    ]
    return Catalogue(
        centre=Centre(code="test", name="测试中心", city="测试市", sms_signature="【测试】"),
        matters={found.code: found for found in matters},
        parameters={},
    )


@cache
def whole_catalogue() -> Catalogue:
    """The reference centre's content, read once."""
    return load(ROOT / "knowledge_base", centre="guangzhou")
