"""The lists of dependencies agree with the code and with the page that gives the reasons."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parent.parent
OURS = {"app", "celery_worker", "config", "embedded", "migrations", "web_processes", "wsgi"}


def pinned(*names):
    lines = [line for name in names for line in (ROOT / name).read_text().splitlines()]
    return {line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_every_dependency_has_its_reason():
    explained = re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert sorted(pinned("requirements.txt", "requirements-dev.txt")) == sorted(set(explained) - {"package"})


def test_what_the_code_imports_is_pinned():
    files = [path for folder in ("app", "embedded", "migrations") for path in (ROOT / folder).rglob("*.py")]
    modules = {name for path in [*files, *ROOT.glob("*.py")] for name in imported(path)}
    foreign = modules - set(sys.stdlib_module_names) - OURS
    known = packages_distributions()
    assert {"flask", "redis"} <= foreign, "the search for imports finds nothing"
    normal = {name.lower().replace("_", "-") for name in pinned("requirements.txt")}
    missing = {m for m in foreign if not normal & {d.lower().replace("_", "-") for d in known.get(m, [m])}}
    assert not missing
