"""Words, colours and scripts of the staff's own pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hotline.domain.desk import Group
from hotline.domain.staff import Role, SignInRefusal
from web.citizen.assets import STATIC_DIR
from web.staff.browsers import browser_words
from web.staff.oidc import OidcProblem
from web.staff.wording import staff_words

FOLDER = STATIC_DIR / "staff"
TEMPLATES = Path(__file__).resolve().parents[4] / "web" / "staff" / "templates" / "staff"
PAIRS = [
    *((text, ground) for text in ("text", "soft") for ground in ("surface", "page", "sunken", "hover")),
    *((text, ground) for text in ("accent", "accent-strong") for ground in ("surface", "page", "sunken")),
    *(("red", "red-wash"), ("amber", "amber-wash"), ("tag-text", "tag"), ("on-accent", "accent")),
    ("on-accent", "accent-strong"),
]
EDGES = [("strong-line", "surface"), ("focus", "surface"), ("focus", "page"), ("accent", "surface")]


def palettes() -> dict[str, dict[str, str]]:
    css = (FOLDER / "staff.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root(\S*) \{(.*?)\}", css, re.S)
    colours = {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for name, block in blocks[:3]}
    light = colours[""]
    return {
        "light": light,
        "dark by the system": light | colours[':not([data-theme="light"])'],
        "dark by choice": light | colours['[data-theme="dark"]'],
    }


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", palettes())
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground_as_wcag_aa_asks(scheme: str, text: str, ground: str) -> None:
    palette = palettes()[scheme]
    assert contrast(palette[text], palette[ground]) >= 4.5


@pytest.mark.parametrize("scheme", palettes())
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_and_focus_can_be_seen(scheme: str, edge: str, ground: str) -> None:
    palette = palettes()[scheme]
    assert contrast(palette[edge], palette[ground]) >= 3


def test_dark_is_the_same_however_it_was_chosen() -> None:
    made = palettes()
    assert made["dark by the system"] == made["dark by choice"] != made["light"]


def test_every_refusal_problem_role_and_group_has_its_words() -> None:
    words = staff_words()
    assert set(words["refusals"]) == {each.value for each in SignInRefusal} | {"differ"}
    assert {each.value for each in OidcProblem} <= set(words["problems"])
    assert set(words["roles"]) == {each.value for each in Role}
    assert set(words["groups"]) == {each.value for each in Group}


def test_every_word_is_used() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html"))
    for section in ("sign_in", "code", "enrol", "recovery", "password", "account", "problem"):
        for name in staff_words()[section]:
            assert f"t.{section}.{name}" in used, (section, name)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_scripts_never_put_text_in_as_html(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source)
    assert source.startswith("// @ts-check\n")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_pages_run_nothing_inline_and_load_nothing_from_elsewhere(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|(src|href)=\"(https?:)?//", source)


CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome · Windows"),
        (f"{CHROME} Edg/120.0.0.0", "Edge · Windows"),
        (f"{CHROME} QIHU 360SE", "360浏览器 · Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox · Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15", "Safari · macOS"),
        ("curl/8.0", "其他程序"),
        ("", "其他程序"),
        ("<script>", "其他程序"),
    ],
)
def test_browsers_are_called_what_people_call_them(user_agent: str, words: str) -> None:
    assert browser_words(user_agent) == words
