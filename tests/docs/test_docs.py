"""The pages can be followed: links lead somewhere, names in the code exist, and the README's programs run."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import setting_keys
from tests.support.clients import Person
from tests.support.stack import Stack, until

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
PLACE = re.compile(r"`((?:app|embedded|tests|migrations|scripts)/[\w./]*|\w+\.(?:py|md|toml))(?::(\w+))?`")


def pages() -> list[Path]:
    """List the project's own pages."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(text: str) -> set[str]:
    """List the anchors that a page's headings get on the usual code hosts."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Give the links of a page that lead nowhere in this project; those to other sites are not followed."""
    for pair in LINK.findall(FENCE.sub("", text)):
        link = pair[0] or pair[1]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            yield link


def unknown_places(text: str) -> Iterator[str]:
    """Give the `file.py` and `file.py:name` of a page that the project does not have."""
    for name, thing in PLACE.findall(FENCE.sub("", text)):
        found = [path for path in (ROOT / name, ROOT / "docs" / name, ROOT / "app" / name) if path.exists()]
        if not found or (thing and not has(found[0], thing)):
            yield f"{name}:{thing}" if thing else name


def has(path: Path, thing: str) -> bool:
    """Tell whether a file has a function, class or method of that name."""
    if path.suffix == ".js":
        return (
            re.search(rf"^\s*(?:export )?(?:async )?(?:function )?{thing}\(.*\{{$", path.read_text(), re.MULTILINE)
            is not None
        )
    if path.suffix != ".py":
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) and node.name == thing for node in ast.walk(ast.parse(path.read_text())))


@pytest.mark.fast
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_leads_only_to_what_is_there(page: Path) -> None:
    text = page.read_text()
    assert list(broken_links(page, text)) == []
    assert list(unknown_places(text)) == []


@pytest.mark.fast
def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = (pair[0].partition("#")[0] for pair in LINK.findall(FENCE.sub("", page.read_text())))
        waiting += [page.parent / link for link in links if link and (page.parent / link).is_file()]
    assert {page.resolve() for page in pages()} - reached == set()


@pytest.mark.fast
def test_every_setting_has_its_line() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    assert [key for key in setting_keys() if f"`{key}`" not in text] == []


@pytest.mark.fast
def test_what_leads_nowhere_is_found() -> None:
    text = "[a](no-such-page.md) [b](README.md#no-such-heading) `app/domain/nowhere.py` `app/domain/commit.py:nothing`"
    assert list(broken_links(ROOT / "x.md", text)) == ["no-such-page.md", "README.md#no-such-heading"]
    assert list(unknown_places(text)) == ["app/domain/nowhere.py", "app/domain/commit.py:nothing"]
    assert list(broken_links(ROOT / "x.md", "[c](README.md#two-commands)")) == []
    assert list(unknown_places("`app/domain/commit.py:apply`")) == []


# the README's programs ------------------------------------------------------------------------------------------------
def program(language: str) -> str:
    """Take the README's program in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"the README has no program in {language}"
    return found[1]


def as_someone(source: str, stack: Stack, person: Person, slug: str, who: str) -> str:
    """Have a program of the README speak to a test's stack, as a test's person."""
    changed = source.replace("http://127.0.0.1:5000", stack.url).replace('"random"', f'"{slug}"')
    return changed.replace(f"{who}-demo-password", "correct horse battery 9").replace(
        f'"{who}"', f'"{person.username}"'
    )


def spoke(command: list[str], where: Path, person: Person, room: str, words: str) -> None:
    """Run a program (it listens until it is ended) and see its words come back to itself, and stay."""
    log = where / "output"
    with log.open("wb") as output:
        running = subprocess.Popen(command, cwd=where, stdout=output, stderr=output)
    try:
        until(
            lambda: re.search(rf"^\d+ {person.username} {words}$", log.read_text(), re.MULTILINE),
            within_s=30,  # most of which a busy machine takes to start it
            what="its own words",
        )
    except AssertionError as error:
        raise AssertionError(log.read_text()) from error
    finally:
        running.kill()
        running.wait()
    until(lambda: words in [m["content"] for m in person.history(room) if m["persisted"]], what="the commit")


def test_the_readmes_python_program_talks(stack: Stack, name: str, tmp_path: Path) -> None:
    bob = Person(stack.url, name)
    room = bob.room(name)
    (tmp_path / "talk.py").write_text(as_someone(program("python"), stack, bob, name, "bob"))
    spoke([sys.executable, "-u", "talk.py"], tmp_path, bob, room, "Hello from Python")


def test_the_readmes_javascript_program_talks(stack: Stack, name: str, tmp_path: Path) -> None:
    if shutil.which("node") is None or not (ROOT / "node_modules/socket.io-client").exists():
        pytest.skip("there is no Node.js here, or `npm ci` has not run")
    carol = Person(stack.url, name)
    room = carol.room(name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "talk.mjs").write_text(as_someone(program("js"), stack, carol, name, "carol"))
    spoke(["node", "talk.mjs"], tmp_path, carol, room, "Hello from JavaScript")
