"""What pages promise: generated pages are current, and every reason code is real and explained."""

import ast
import re
import runpy
from collections import Counter
from pathlib import Path

from deadband.core.ailments import SEVERITIES, Ailment
from deadband.core.reasons import BY_NUMBER, Code
from deadband.feeds.doctor.signs import SIGNS

ROOT = Path(__file__).parents[2]
REASONS = ROOT / "src" / "deadband" / "core" / "reasons.py"
make_docs = runpy.run_path(str(ROOT / "tools" / "make_docs.py"))


def spoken_codes(path: Path, of: str = "Code") -> set[str]:
    """Names taken from an enum in a file: `Code.X`, whatever is done with it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == of
    }


def test_the_generated_pages_are_current() -> None:
    assert make_docs["not_current"]() == [], "run `python tools/make_docs.py`"


def test_a_stale_page_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "reasons.md"
    make_docs["not_current"].__globals__["DOCS"] = tmp_path
    try:
        assert page in make_docs["not_current"]()
        page.write_text(make_docs["reasons_page"]() + "by hand", encoding="utf-8")
        assert page in make_docs["not_current"]()
    finally:
        make_docs["not_current"].__globals__["DOCS"] = ROOT / "docs"


def test_every_code_has_its_own_number_and_a_sentence() -> None:
    assert {n: c for n, c in Counter(code.number for code in Code).items() if c > 1} == {}
    assert set(BY_NUMBER.values()) == set(Code)
    assert [code for code in Code if not 0 < code.number < 2**15] == []
    assert [code for code in Code if code != code.name] == []
    assert [code for code in Code if not code.meaning.endswith(".")] == []


def test_every_code_stands_on_its_page_with_its_number_and_meaning() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    rows = [f"| `{code}` | {code.number} | {code.meaning} |" for code in Code]
    assert [row for row in rows if row not in page] == []
    assert page.count("\n| `") == len(Code)


def test_every_code_is_spoken_by_a_room() -> None:
    files = [path for path in (ROOT / "src").rglob("*.py") if path != REASONS]
    spoken = set().union(*map(spoken_codes, files))
    assert set(Code.__members__) - spoken == set()


def test_every_code_is_named_by_a_test() -> None:
    files = [p for p in (ROOT / "tests").rglob("*.py") if "architecture" not in p.parts]
    words = {word for p in files for word in re.findall(r"\b[A-Z_]{4,}\b", p.read_text("utf-8"))}
    assert set(Code.__members__) - words == set()


def test_every_ailment_is_whole_and_no_code_has_its_name() -> None:
    assert [each for each in Ailment if each != each.name or each not in SIGNS] == []
    assert [each for each in Ailment if each.severity not in SEVERITIES] == []
    assert [
        each for each in Ailment if not each.cure.endswith(".") or each.what.endswith(".")
    ] == []
    assert set(Ailment.__members__) & set(Code.__members__) == set()


def test_every_ailment_stands_on_its_page_with_its_sign_and_cure() -> None:
    page = (ROOT / "docs" / "data-doctor.md").read_text(encoding="utf-8")
    for each in Ailment:
        row = f"| `{each}` | {each.severity} | {each.what} | {SIGNS[each]} | {each.effect} |"
        assert row in page and each.cure in page
    assert page.count("\n| `") == len(Ailment)


def test_every_ailment_is_said_by_a_file_and_found_by_a_test() -> None:
    places = {"ailments.py", "signs.py"}
    files = [path for path in (ROOT / "src").rglob("*.py") if path.name not in places]
    said = set().union(*(spoken_codes(path, "Ailment") for path in files))
    assert set(Ailment.__members__) - said == set()
    tests = [p for p in (ROOT / "tests").rglob("*.py") if "architecture" not in p.parts]
    words = {word for p in tests for word in re.findall(r"\bDATA_[A-Z_]+\b", p.read_text("utf-8"))}
    assert set(Ailment.__members__) - words == set()
