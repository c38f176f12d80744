"""What supervisors see of quality and how they score; what agents see of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hotline.errors import ConfigError
from tests.unit.web.desk.desk_kit import Visitor
from tests.unit.web.supervisor.quality_kit import FULL, OPEN, OVERDUE, OWN, RENT, Town, looking_back
from web.supervisor.quality_site import REFUSALS, quality_words

pytestmark = pytest.mark.anyio

PAGES = (
    "/supervisor/quality",
    "/supervisor/quality/sample",
    f"/supervisor/quality/{RENT}",
    "/supervisor/search",
    "/supervisor/search/c/c-rent",
)
NASTY = '<script>alert("x")</script><img src=x onerror=alert(1)>" onmouseover="alert(2)'


def rows(html: str) -> dict[str, list[str]]:
    """The table's rows by their heading, without marks."""
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    found = {}
    for row in re.findall(r"<tr.*?</tr>", body, flags=re.S):
        name, *cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.S)]
        found[name] = cells
    return found


# --- who ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
async def test_agents_and_strangers_look_back_at_nothing(town: Town, wang: Visitor, path: str) -> None:
    assert (await wang.get(path)).status_code == 403
    async with looking_back(town, "") as nobody:
        assert (await nobody.get(path)).status_code == 401
    assert town.desk.asked == []


async def test_agent_cannot_score_and_a_page_of_another_site_neither(town: Town, wang: Visitor, lin: Visitor) -> None:
    assert (await wang.post(f"/supervisor/quality/{RENT}", **FULL)).status_code == 403
    assert (await lin.post(f"/supervisor/quality/{RENT}", token="guessed", **FULL)).status_code == 403
    assert town.reviews.kept == {}


@pytest.mark.parametrize("path", [*PAGES, "/desk/reviews", f"/supervisor/quality/{OWN}", "/supervisor/quality/x"])
async def test_nothing_a_strict_policy_forbids_is_in_any_page(town: Town, lin: Visitor, path: str) -> None:
    await town.review(OVERDUE, off=5, reason="说错了")
    answer = await lin.get(path)
    html = re.sub(r'<script type="application/json".*?</script>', "", answer.text, flags=re.S)
    assert re.search(r"\sstyle=|\son\w+=|javascript:|<style|<script(?![^>]*\ssrc=)|https?://(?!www\.w3)", html) is None


async def test_every_text_people_wrote_is_text_everywhere(town: Town, lin: Visitor, wang: Visitor) -> None:
    await town.desk.citizen_says("c-rent", NASTY)
    await town.desk.add_note("c-rent", staff_id="wang", text=NASTY)
    town.reviews.ended[RENT] = replace(town.reviews.ended[RENT], summary=NASTY)
    await town.review(RENT, off=5, reason=NASTY)
    pages = [await lin.get(path) for path in PAGES] + [await wang.get("/desk/reviews")]
    for page in pages:
        assert page.status_code == 200
        assert "<img" not in page.text.replace('<img src="/static', "")
        assert '" onmouseover' not in page.text
        assert "<script>alert" not in page.text
    assert sum("&lt;script&gt;" in page.text for page in pages) == 4


# --- what it comes to --------------------------------------------------------------------------------------------


async def test_scores_and_citizens_ratings_stand_side_by_side(town: Town, lin: Visitor) -> None:
    await town.review(RENT)
    await town.review(OVERDUE, off=15, reason="说错了")
    table = rows((await lin.get("/supervisor/quality")).text)
    assert table["智能客服"] == ["—", "—", "100", "50.0%", "40", "0", "0", "0", "10", "80.0%"]
    assert table["1024 王敏"] == ["2", "92.5", "4", "100.0%", "0", "3", "0", "1", "0", "75.0%"]
    assert table["1031 陈思远"] == ["—", "—", "2", "100.0%", "0", "0", "2", "0", "0", "100.0%"]
    assert table["合计"] == ["2", "92.5", "106", "52.8%", "40", "3", "2", "1", "10", "80.4%"]


async def test_ratings_are_those_of_thirty_days_of_china(town: Town, lin: Visitor) -> None:
    await lin.get("/supervisor/quality")
    assert town.asked_days == [(date(2026, 10, 27), date(2026, 11, 25))]


async def test_nothing_rated_yet_is_no_percentage(town: Town, lin: Visitor) -> None:
    town.counted.clear()
    page = (await lin.get("/supervisor/quality")).text
    assert rows(page)["合计"] == ["—", "—", "0", "—", "0", "0", "0", "0", "0", "—"]
    assert "还没有评过的会话" in page


async def test_latest_reviews_say_what_was_taken_off(town: Town, lin: Visitor) -> None:
    await town.review(RENT, off=15, reason="限额说错了")
    page = (await lin.get("/supervisor/quality", saved="85")).text
    assert "答复准确 −15" in page
    assert "限额说错了" in page
    assert "礼貌用语 −" not in page
    assert "已保存：85 分" in page


# --- the sample --------------------------------------------------------------------------------------------------


async def test_five_are_drawn_and_none_of_them_is_own(town: Town, lin: Visitor) -> None:
    html = (await lin.get("/supervisor/quality/sample")).text
    found = re.findall(r"/supervisor/quality/(\d+)\?sample=([\d,]+)", html)
    assert len(found) == 5
    assert {sample for _, sample in found} == {",".join(each for each, _ in found)}
    assert str(OWN) not in {each for each, _ in found}


async def test_sample_of_one_agent_is_his_alone(lin: Visitor) -> None:
    html = (await lin.get("/supervisor/quality/sample", of="chen")).text
    assert html.count("1031 陈思远") == html.count('class="sample-row"') > 0
    assert (await lin.get("/supervisor/quality/sample", of="nobody\0")).json()["code"] == "unreadable"
    assert "没有可抽的会话" in (await lin.get("/supervisor/quality/sample", of="zhou")).text


# --- scoring -----------------------------------------------------------------------------------------------------


async def test_conversation_is_shown_whole_with_notes_beside_the_form(town: Town, lin: Visitor) -> None:
    for number in range(130):
        await town.desk.citizen_says("c-rent", f"第{number}句")
    await town.desk.add_note("c-rent", staff_id="wang", text="他的电话 13800138000")
    page = (await lin.get(f"/supervisor/quality/{RENT}", sample=f"{RENT},{OVERDUE}")).text
    assert all(f">第{number}句<" in page for number in range(130))
    assert "他的电话" in page
    assert "13800138000" not in page
    assert 'name="score-correctness" min="0" max="35"' in page
    assert "第 1 条，共 2 条" in page
    assert ("view", ("c-rent", None)) in town.desk.asked


async def test_scored_conversation_leads_to_the_next_of_the_sample(town: Town, lin: Visitor) -> None:
    form = {**FULL, "score-correctness": "20", "reason": "限额说错了"}
    first = await lin.post(f"/supervisor/quality/{RENT}?sample={RENT},{OVERDUE}", **form)
    assert first.json()["next"] == f"/supervisor/quality/{OVERDUE}?sample={RENT},{OVERDUE}&saved=85"
    assert (town.reviews.kept[RENT].total, town.reviews.kept[RENT].reason) == (85, "限额说错了")
    assert "上一条已保存：85 分" in (await lin.client.get(first.json()["next"])).text
    last = await lin.post(f"/supervisor/quality/{OVERDUE}?sample={RENT},{OVERDUE}", **FULL)
    assert last.json()["next"] == "/supervisor/quality?saved=100"
    assert [each.action for each in town.audit.entries] == ["conversation.scored"] * 2


async def test_scoring_again_replaces_what_was_scored_before(town: Town, lin: Visitor) -> None:
    await town.review(RENT, off=15, reason="限额说错了")
    page = (await lin.get(f"/supervisor/quality/{RENT}")).text
    assert "再保存会替换原来的评分" in page
    assert 'max="35" step="1" inputmode="numeric" required value="20"' in page
    assert ">限额说错了</textarea>" in page
    for _ in range(2):
        await lin.post(f"/supervisor/quality/{RENT}", **FULL)
    assert [(each.handover_id, each.total) for each in town.reviews.kept.values()] == [(RENT, 100)]


@pytest.mark.parametrize("reason", ["", " ", "差", "差" * 501])
async def test_points_taken_off_without_a_fair_reason_are_refused(town: Town, lin: Visitor, reason: str) -> None:
    answer = await lin.post(f"/supervisor/quality/{RENT}", **{**FULL, "score-privacy": "0", "reason": reason})
    assert answer.status_code == 422
    assert answer.json()["code"] == "reason"
    assert "写明原因" in answer.json()["message"]
    assert town.reviews.kept == {}


@pytest.mark.parametrize("points", ["", "36", "-1", "3.5", "三", "9" * 30])
async def test_points_that_do_not_exist_are_refused(town: Town, lin: Visitor, points: str) -> None:
    form = {**FULL, "score-correctness": points, "reason": "说错了"}
    answer = await lin.post(f"/supervisor/quality/{RENT}", **form)
    assert (answer.status_code, answer.json()["code"]) == (422, "scores")
    assert town.reviews.kept == {}


async def test_own_conversation_is_scored_by_somebody_else(town: Town, lin: Visitor) -> None:
    page = (await lin.get(f"/supervisor/quality/{OWN}")).text
    assert "请别的班长来评" in page
    assert 'id="score-form"' not in page
    answer = await lin.post(f"/supervisor/quality/{OWN}", **FULL)
    assert (answer.status_code, answer.json()["code"]) == (403, "own")
    assert town.reviews.kept == {}


@pytest.mark.parametrize("handover_id", ["777", "x", "-1", "4294967296", "9" * 30, "1%00"])
async def test_conversation_that_does_not_exist_is_a_page_that_says_so(lin: Visitor, handover_id: str) -> None:
    page = await lin.get(f"/supervisor/quality/{handover_id}")
    assert page.status_code == 404
    assert "没有这条会话" in page.text
    answer = await lin.post(f"/supervisor/quality/{handover_id}", **FULL)
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")


async def test_conversation_that_goes_on_is_not_scored_yet(lin: Visitor) -> None:
    page = (await lin.get(f"/supervisor/quality/{OPEN}")).text
    assert 'id="score-form"' not in page
    assert (await lin.post(f"/supervisor/quality/{OPEN}", **FULL)).json()["code"] == "gone"


async def test_zero_bytes_in_a_reason_reach_no_database(town: Town, lin: Visitor) -> None:
    form = {**FULL, "score-privacy": "10", "reason": "没有\0核实身份"}
    assert (await lin.post(f"/supervisor/quality/{RENT}", **form)).status_code == 200
    assert town.reviews.kept[RENT].reason == "没有核实身份"


@pytest.mark.parametrize("sample", ["x", ",,,", "1;2", f"{OVERDUE}", "1" * 4000, "<script>"])
async def test_sample_that_makes_no_sense_leads_nowhere(lin: Visitor, sample: str) -> None:
    page = await lin.get(f"/supervisor/quality/{RENT}", sample=sample)
    assert page.status_code == 200
    assert 'id="onward"' not in page.text
    assert "<script>" not in page.text


# --- what agents see ---------------------------------------------------------------------------------------------


async def test_agent_sees_his_own_reviews_and_nobody_elses(town: Town, wang: Visitor) -> None:
    await town.review(RENT, off=15, reason="限额说错了")
    await town.review(9, off=10, reason="别人的原因")
    page = (await wang.get("/desk/reviews")).text
    assert "限额说错了" in page
    assert "<b>85</b>" in page
    assert "别人的原因" not in page
    assert 'href="/supervisor' not in page


async def test_supervisor_who_is_an_agent_too_sees_his_own(town: Town, lin: Visitor) -> None:
    await town.review(RENT, off=15, reason="限额说错了")
    assert "限额说错了" not in (await lin.get("/desk/reviews")).text


def test_wording_tells_every_refusal_and_none_may_be_missing(tmp_path: Path) -> None:
    assert set(quality_words()["refusals"]) == set(REFUSALS)
    path = tmp_path / "quality_wording.yml"
    path.write_text("refusals: {gone: x}\n")
    with pytest.raises(ConfigError, match="own"):
        quality_words(path)
