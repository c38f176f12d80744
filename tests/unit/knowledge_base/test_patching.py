"""Small edits: what they cost, what they change and what they leave alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge_base import patching, training
from knowledge_base.embed import Embedder
from knowledge_base.index import FORMAT, Index
from knowledge_base.match import Match
from knowledge_base.publish import publish
from knowledge_base.published import Published
from knowledge_base.remembered import FIT
from tests.unit.knowledge_base.conftest import edit

RENT = "catalogue/national/withdraw-rent.yml"
RETIRE = "catalogue/national/withdraw-retire.yml"
RATE = "catalogue/national/loan-rate.yml"
OUTSIDE = "catalogue/national/outside-social-insurance.yml"
NEW_PHRASING = "月月付给房东的开销可不可以报销"
OTHERS = ["房贷的利息现在是几个点", "我妈快退休了，公积金怎么全部提出来", "社保断了两个月怎么办", "利率调了月供几月变"]

NEW_MATTER = """\
code: transfer
name: 异地转移
topic: 转移
sources:
  rule: {title: 转移办法, issued_on: 2020-01-01, strength: official}
aspects:
  overview:
    title: 换了城市公积金怎么转
    text: 能转。在转入地申请即可。
    short: 能转。在转入地申请。
    questions:
      - 我从别的城市过来怎么把钱转进来
      - 跨城市换工作账户怎么合并过来
      - 转移接续在手机上弄吗
"""

FEE = """\
  fee:
    title: 租房提取收费吗
    text: 不收费。
    short: 不收费。
    questions: [提房租要交手续费吗]
"""
AMOUNT = """\
  amount:
    title: 退休能提多少
    text: 全部余额。
    short: 全部余额。
    questions:
      - 退休时账户里有几万块都能拿走吗
      - 退休能领多少公积金
      - 退休是不是一分不剩都给我
"""


@pytest.fixture
def folder(target: Path, tmp_path: Path) -> Path:
    """A published folder, with the last whole fit in its cache."""
    return Path(shutil.copytree(target, tmp_path / "target"))


@pytest.fixture
def no_whole_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("everything was fitted anew")

    monkeypatch.setattr(training, "fit", refuse)


@pytest.fixture
def whole_fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples each whole fit was given."""
    counted: list[int] = []
    real: Callable[..., training.Fitted] = training.fit

    def fit(samples: list[training.Sample], *args: Any, **more: Any) -> training.Fitted:
        counted.append(len(samples))
        return real(samples, *args, **more)

    monkeypatch.setattr(training, "fit", fit)
    return counted


def put(content: Path, folder: Path, embedder: Embedder) -> Published:
    return publish(content, centre="guangzhou", target=folder, embedder=embedder)


def best(match: Match) -> tuple[str, str]:
    return match.entries[0].code, match.entries[0].aspect


@pytest.mark.usefixtures("no_whole_fit")
def test_a_new_phrasing_is_found_and_other_questions_keep_their_answer(
    content: Path, folder: Path, published: Published, embedder: Embedder
) -> None:
    before = published.matcher.match(NEW_PHRASING)
    edit(content / RENT, "      - 租房可以提公积金吗", f"      - {NEW_PHRASING}\n      - 租房可以提公积金吗")
    after = put(content, folder, embedder)
    found = after.matcher.match(NEW_PHRASING)
    assert best(found) == ("withdraw-rent", "overview")
    assert found.entries[0].p > 10 * before.entries[0].p
    for text in OTHERS:
        was, now = published.matcher.match(text), after.matcher.match(text)
        assert best(now) == best(was)
        assert now.entries[0].p == pytest.approx(was.entries[0].p, abs=0.15)
    assert after.metrics == published.metrics


@pytest.mark.usefixtures("no_whole_fit")
def test_what_was_learnt_of_other_matters_stays_as_it_was(
    content: Path, folder: Path, target: Path, published: Published, embedder: Embedder
) -> None:
    edit(content / RENT, "租房可以提公积金吗", NEW_PHRASING)
    after = put(content, folder, embedder)
    was, now = (Index.open(root / each.version).ranker for root, each in ((target, published), (folder, after)))
    for name in ("entries", "matters", "within"):
        before, refitted = getattr(was, name), getattr(now, name)
        for row, label in enumerate(before.classes):
            same = np.array_equal(before.weights[row], refitted.weights[refitted.classes.index(label)])
            assert same or label.startswith("withdraw-rent"), (name, label)
    assert np.array_equal(was.lexical.projection, now.lexical.projection)
    assert np.array_equal(was.second.weights, now.second.weights)


@pytest.mark.usefixtures("no_whole_fit")
def test_an_answer_that_reads_otherwise_refits_nothing(
    content: Path, folder: Path, published: Published, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a row was refitted")

    monkeypatch.setattr(patching, "with_rows_refitted", refuse)
    edit(content / RENT, "text: 带上本人身份证原件。", "text: 带上本人身份证原件和银行卡。")
    after = put(content, folder, embedder)
    assert after.version != published.version
    assert "银行卡" in after.catalogue.matters["withdraw-rent"].aspects["materials"].text
    assert best(after.matcher.match("提房租的钱要带啥证件")) == ("withdraw-rent", "materials")


@pytest.mark.usefixtures("no_whole_fit")
def test_a_new_aspect_is_learnt_and_one_taken_away_is_found_no_more(
    content: Path, folder: Path, embedder: Embedder
) -> None:
    text = (content / RETIRE).read_text(encoding="utf-8")
    (content / RETIRE).write_text(text[: text.index("  time_limit:")] + AMOUNT, encoding="utf-8")
    matcher = put(content, folder, embedder).matcher
    assert best(matcher.match("退休时账户里有几万块都能拿走吗")) == ("withdraw-retire", "amount")
    gone = matcher.match("退休取的钱几天到卡")
    assert ("withdraw-retire", "time_limit") not in {(entry.code, entry.aspect) for entry in gone.entries}
    assert best(matcher.match(OTHERS[0])) == ("loan-rate", "overview")


@pytest.mark.usefixtures("no_whole_fit")
def test_an_aspect_of_a_kind_nobody_answered_before_is_learnt(content: Path, folder: Path, embedder: Embedder) -> None:
    edit(content / RENT, "  materials:\n", f"{FEE}  materials:\n")
    matcher = put(content, folder, embedder).matcher
    assert best(matcher.match("提房租要交手续费吗")) == ("withdraw-rent", "fee")


def test_more_than_a_small_edit_is_fitted_whole(
    content: Path, folder: Path, embedder: Embedder, whole_fits: list[int]
) -> None:
    many = "".join(f"      - 第{number}种租房的说法要怎么提呢\n" for number in range(20))
    edit(content / RENT, "      - 租房可以提公积金吗\n", many)
    put(content, folder, embedder)
    assert len(whole_fits) == 1
    edit(content / RATE, "首套房利率多少", "首套房子利率有多少")
    put(content, folder, embedder)
    assert len(whole_fits) == 1  # the new whole fit is what the next small edit begins with


def test_small_edits_add_up_to_a_whole_fit(
    content: Path, folder: Path, embedder: Embedder, whole_fits: list[int]
) -> None:
    for number in range(3):
        more = "".join(f"      - 第{number}回{each}种租房的说法\n" for each in range(5))
        edit(content / RENT, "      - 租房可以提公积金吗\n", f"      - 租房可以提公积金吗\n{more}")
        put(content, folder, embedder)
    assert len(whole_fits) == 1


def test_a_new_matter_is_fitted_whole_and_found(
    content: Path, folder: Path, embedder: Embedder, whole_fits: list[int]
) -> None:
    """Its name changes how every phrasing is read."""
    (content / "catalogue/national/transfer.yml").write_text(NEW_MATTER, encoding="utf-8")
    matcher = put(content, folder, embedder).matcher
    assert len(whole_fits) == 1
    assert best(matcher.match("从别的城市过来，钱怎么转进来")) == ("transfer", "overview")
    assert matcher.match("异地转移").exact == "transfer"


def test_a_matter_taken_away_is_found_no_more(content: Path, folder: Path, embedder: Embedder) -> None:
    (content / OUTSIDE).unlink()
    found = put(content, folder, embedder).matcher.match("养老金每个月领多少")
    assert "outside-social-insurance" not in [candidate.code for candidate in found.candidates]


def test_without_a_cache_everything_is_fitted(
    content: Path, folder: Path, embedder: Embedder, whole_fits: list[int]
) -> None:
    shutil.rmtree(folder / "cache")
    edit(content / RATE, "首套房利率多少", "首套房子利率有多少")
    put(content, folder, embedder)
    assert len(whole_fits) == 1


@pytest.mark.parametrize("spoilt", ["said.json", "manifest.json", "entries-weights.npy"])
def test_a_spoilt_last_fit_is_none(
    content: Path, folder: Path, embedder: Embedder, whole_fits: list[int], spoilt: str
) -> None:
    (folder / "cache" / FIT / "use" / "guangzhou" / spoilt).write_bytes(b"{")
    edit(content / RATE, "首套房利率多少", "首套房子利率有多少")
    assert best(put(content, folder, embedder).matcher.match(OTHERS[0])) == ("loan-rate", "overview")
    assert len(whole_fits) == 1


@pytest.mark.usefixtures("no_whole_fit")
@pytest.mark.parametrize("spoilt", [False, True])
def test_a_new_answer_is_weighed_and_the_others_stay(
    content: Path, folder: Path, embedder: Embedder, spoilt: bool
) -> None:
    before = Index.open(next(file.parent for file in folder.glob("*/manifest.json"))).ranker
    kept = folder / "cache" / FIT / "use" / "guangzhou" / "catalogue.json"
    if spoilt:  # then all are weighed again
        kept.unlink()
        kept.write_bytes(b"{")
    edit(content / RETIRE, "text: ", "text: 租房提取。")
    after = Index.open(folder / put(content, folder, embedder).version).ranker
    differ = [
        name
        for at, name in enumerate(after.entries.classes)
        if after.answers[at].columns.tolist() != before.answers[at].columns.tolist()
    ]
    assert differ
    assert {name.partition(" ")[0] for name in differ} == {"withdraw-retire"}


def test_a_last_fit_of_another_format_is_none(
    content: Path, folder: Path, embedder: Embedder, whole_fits: list[int]
) -> None:
    """Another format may have other features: its second stage means nothing now."""
    edit(folder / "cache" / FIT / "use" / "guangzhou" / "manifest.json", f'"format":{FORMAT}', f'"format":{FORMAT - 1}')
    edit(content / RATE, "首套房利率多少", "首套房子利率有多少")
    put(content, folder, embedder)
    assert len(whole_fits) == 1
