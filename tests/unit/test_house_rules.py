"""Rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hotline", "knowledge_base", "channels", "actions", "web", "sandbox", "bot")
HAN = re.compile(r"[\u4e00-\u9fff]")
MATCHED_OR_TYPED = {
    "hotline/cli.py",
    "hotline/domain/redaction.py",
    "knowledge_base/model.py",
    "knowledge_base/numerals.py",
}
"""Chinese in these is what is matched, or a question the operator may type; nothing a citizen is told."""


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if ".venv" not in path.parts and "versions" not in path.parts:
                yield path


def test_no_module_is_longer_than_400_lines_and_no_function_longer_than_50() -> None:
    too_long = []
    for path in [*sources(*PACKAGES), *sources("tests")]:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if text.count("\n") > 400:
            too_long.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno
                if length > 50:
                    too_long.append(f"{name}:{node.lineno} {node.name}: {length} lines")
    assert too_long == []


def test_what_people_read_is_worded_in_yaml_not_in_python() -> None:
    found = []
    for path in sources(*PACKAGES):
        name = path.relative_to(ROOT).as_posix()
        if name in MATCHED_OR_TYPED:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents
            if is_text and HAN.search(node.value) and len(HAN.findall(node.value)) > 6:
                found.append(f"{name}:{node.lineno}: {node.value[:30]}")
    assert found == []


def skills(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.yml")}


def test_a_skill_has_one_stem_everywhere() -> None:
    assert skills("bot/domain") == skills("data/nlu") == skills("data/rules")


def domain() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"intents": set(), "actions": set(), "responses": set()}
    for path in (ROOT / "bot/domain").glob("*.yml"):
        for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if key in found:
                found[key] |= {next(iter(item)) if isinstance(item, dict) else item for item in value}
    return found


def test_every_action_and_response_of_the_domain_is_used() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "data/rules").glob("*.yml"))
    used += (ROOT / "config.yml").read_text(encoding="utf-8")
    declared = domain()
    assert [name for name in sorted(declared["actions"] | declared["responses"]) if name not in used] == []


@pytest.mark.parametrize("path", sorted((ROOT / "knowledge_base/parameters").glob("*/*.yml")), ids=lambda p: p.stem)
def test_every_figure_has_a_source_with_a_title(path: Path) -> None:
    for name, parameter in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for value in parameter["values"]:
            assert value["source"]["title"], name


def test_no_tracked_text_names_a_package_index_or_a_folder_of_one_machine() -> None:
    hosts = re.compile("py" r"pi\.org|python" r"hosted\.org|npm" r"js\.org|debian" r"\.org/debian")
    named = [
        path.relative_to(ROOT).as_posix()
        for pattern in ("*.txt", "*.toml", "*.md", "Makefile", "scripts/*", "docs/**/*.md", "bot/*.txt", "bot/*.toml")
        for path in ROOT.glob(pattern)
        if path.is_file() and hosts.search(path.read_text(encoding="utf-8"))
    ]
    assert named == []
