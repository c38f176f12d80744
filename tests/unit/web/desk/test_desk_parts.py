"""Words, colours and scripts of the desk's pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.agent_desk import DeskRefused, Refusal
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.desk import LANES, AgentState, Group, Reason
from hotline.domain.messages import ChannelName, Outcome
from hotline.errors import ConfigError
from knowledge_base.model import ASPECTS, FACTS
from web.citizen.assets import STATIC_DIR
from web.desk import showing
from web.desk.site import TEMPLATES
from web.desk.wording import desk_wording

SCRIPTS = sorted([*(STATIC_DIR / "desk").glob("*.js"), *(STATIC_DIR / "supervisor").glob("*.js")])
PAIRS = [
    *((text, ground) for text in ("text", "soft") for ground in ("surface", "sunken", "hover", "chosen")),
    *(("text", ground) for ground in ("page", "own", "citizen", "bot", "note", "whisper", "line")),
    *((name, f"{name}-wash") for name in ("amber", "red", "green", "blue")),
    *((name, "surface") for name in ("accent", "red", "amber", "wechat", "web", "sms", "voice")),
    ("soft", "page"),
    ("on-accent", "accent"),
    ("red", "page"),
    ("accent-strong", "chosen"),
]


def palettes() -> dict[str, dict[str, str]]:
    css = (STATIC_DIR / "desk" / "desk.css").read_text()
    blocks = {"light": ":root", "dark": ':root[data-theme="dark"]', "dark by itself": ':root:not([data-theme="light"])'}
    found = {name: css[css.index(f"{selector} {{\n") :].partition("}")[0] for name, selector in blocks.items()}
    colours = {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for name, block in found.items()}
    return {name: colours["light"] | each for name, each in colours.items()}


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground_as_wcag_aa_asks(scheme: str, *, text: str, ground: str) -> None:
    palette = palettes()[scheme]
    brighter, darker = sorted((luminance(palette[text]), luminance(palette[ground])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def test_dark_is_the_same_whether_chosen_or_by_itself() -> None:
    assert palettes()["dark"] == palettes()["dark by itself"] != palettes()["light"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_put_text_in_as_html(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source)
    assert source.startswith("// @ts-check\n")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_say_what_the_wording_has(path: Path) -> None:
    said = set(re.findall(r"\bwords\.(\w+)", path.read_text(encoding="utf-8"))) - {"staff", "js"}
    assert said <= set(desk_wording().words["script"])


def test_every_word_for_the_scripts_is_said_by_one() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    templates = "".join(path.read_text(encoding="utf-8") for folder in TEMPLATES for path in folder.rglob("*.html"))
    words = desk_wording().words["script"]
    assert [key for key in words if f"words.{key}" not in sources and f"t.script.{key}" not in templates] == []


def test_templates_use_nothing_of_htmx_that_runs_text_as_script() -> None:
    for folder in TEMPLATES:
        for path in folder.rglob("*.html"):
            source = path.read_text(encoding="utf-8")
            assert not re.search(r"hx-on|hx-vals='js:|hx-vals=\"js:|\|\s*safe\b|autoescape false", source), path.name
            assert not re.search(r'hx-trigger="[^"]*\[', source), path.name


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("channels", list(ChannelName)),
        ("lanes", list(LANES.values())),
        ("groups", list(Group)),
        ("states", list(AgentState)),
        ("reasons", list(Reason)),
        ("deliveries", list(DeliveryStatus)),
        ("outcomes", list(Outcome)),
        ("aspects", list(ASPECTS)),
        ("authors", ["citizen", "bot", "agent", "system"]),
        ("note_kinds", ["note", "whisper", "transfer"]),
        ("levels", [0, 1, 2]),
        ("found", ["id_number", "card", "phone", "email", "pin"]),
    ],
)
def test_every_code_has_a_name(kind: str, codes: list[object]) -> None:
    assert [code for code in codes if desk_wording().name(kind, code) == str(code)] == []


def test_every_fact_has_a_label_and_a_value() -> None:
    for key, values in FACTS.items():
        for value in values:
            label, named = desk_wording().fact(key, value)
            assert (label, named) != (key, value)
            assert named != value


def test_refusal_names_what_was_found() -> None:
    refused = DeskRefused(Refusal.PERSONAL, found=["id_number", "phone"])
    assert "身份证号、电话号码" in desk_wording().refusal(refused)


def test_wording_without_a_refusal_is_no_wording(tmp_path: Path) -> None:
    path = tmp_path / "wording.yml"
    path.write_text("refusals: {gone: x}\n")
    with pytest.raises(ConfigError, match="not_yours"):
        desk_wording(path)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-3, "0:00"), (0, "0:00"), (65, "1:05"), (3599, "59:59"), (3725.9, "1:02:05")]
)
def test_waits_are_shown_in_minutes(seconds: float, shown: str) -> None:
    assert showing.minutes(seconds) == shown


@pytest.mark.parametrize(
    ("back", "shown"),
    [
        (timedelta(hours=1), "今天"),
        (timedelta(hours=18), "昨天"),
        (timedelta(days=12), "11月13日 周五"),
        (timedelta(days=400), "2025年10月21日 周二"),
    ],
)
def test_days_are_those_of_china(back: timedelta, shown: str) -> None:
    now = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert showing.day(now - back, now=now, wording=desk_wording()) == shown
