"""The house laws: each reads one file's source and gives its offences as ``line: what``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

Law = Callable[[str, str], list[str]]
# The replay is a client: what it emits goes to the server.
EMITTERS = ("app/outbound/", "app/sockets/connections.py", "app/cli/replay/")
GREEN = ("eventlet", "gevent")
LINES_MAX = 300
RAW_HTML = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b")


def _calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _function(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def one_commit_place(path: str, source: str) -> list[str]:
    """Only ``transaction`` commits: else hooks run for what was rolled back, or not at all."""
    if path == "app/models/transaction.py":
        return []
    return [f"{call.lineno}: commits" for call in _calls(source) if _method(call) == "commit"]


def one_emit_place(path: str, source: str) -> list[str]:
    """Only ``outbound`` emits, and the connections their own welcome and goodbye; the replay is a client and sends."""
    if path.startswith(EMITTERS):
        return []
    return [f"{call.lineno}: emits" for call in _calls(source) if _method(call) == "emit"]


def no_print(path: str, source: str) -> list[str]:
    """What is worth saying goes to the log, or through click to whoever asked."""
    return [f"{call.lineno}: prints" for call in _calls(source) if _function(call) == "print"]


def green_only_at_the_door(path: str, source: str) -> list[str]:
    """Leaving eventlet must stay one setting."""
    if path in ("wsgi.py", "app/sockets/loop.py"):
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [f"{node.lineno}: imports {name}" for name in names if name.split(".")[0] in GREEN]
    return found


def short_files(path: str, source: str) -> list[str]:
    """A file that is too long has two subjects."""
    lines = source.count("\n")
    return [f"{lines}: lines, more than {LINES_MAX}"] if lines > LINES_MAX else []


def public_things_explained(path: str, source: str) -> list[str]:
    """Modules, and public classes and functions at their top or in their public classes, have a docstring."""
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) or not tree.body else ["1: the module has no docstring"]
    return found + _unexplained(tree)


def _unexplained(parent: ast.Module | ast.ClassDef) -> list[str]:
    found = []
    for node in parent.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            found += [] if ast.get_docstring(node) else [f"{node.lineno}: {node.name} has no docstring"]
            found += _unexplained(node) if isinstance(node, ast.ClassDef) else []
    return found


def no_raw_html(path: str, source: str) -> list[str]:
    """Strings never become markup or code in the browser."""
    lines = enumerate(source.splitlines(), 1)
    return [f"{number}: {line.strip()}" for number, line in lines if RAW_HTML.search(line.split("//")[0])]


# SQL ------------------------------------------------------------------------------------------------------------------
TAKES_SQL = ("text", "execute", "executemany", "change", "exec_driver_sql", "scalar", "scalars")


def no_sql_of_values(path: str, source: str) -> list[str]:
    """SQL is put together of constants: names in capitals, or what a function run at import is given. Values are bound."""
    tree = ast.parse(source)
    imported = _run_at_import(tree)
    found: list[str] = []
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.FunctionDef, ast.Module)):
            constant = {a.arg for a in _arguments(scope)} if getattr(scope, "name", "") in imported else set()
            made = [call for call in _sql_calls(scope) if not _is_constant(call.args[0], constant)]
            found += [f"{call.lineno}: SQL made of values" for call in made]
    return found


def _sql_calls(scope: ast.AST) -> Iterator[ast.Call]:
    return (call for call in _own_calls(scope) if call.args and (_method(call) or _function(call)) in TAKES_SQL)


def _arguments(scope: ast.FunctionDef | ast.Module) -> list[ast.arg]:
    return [*scope.args.args, *scope.args.kwonlyargs] if isinstance(scope, ast.FunctionDef) else []


def _own_calls(scope: ast.AST) -> Iterator[ast.Call]:
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, ast.FunctionDef):
            yield from _own_calls(child)


def _run_at_import(tree: ast.Module) -> set[str]:
    """Functions that are only called while the module is imported, so that what they are given is constant."""
    at_import = {_function(call) for call in _own_calls(tree)}
    inside = {
        _function(call) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for call in _own_calls(node)
    }
    return at_import - inside


def _is_constant(node: ast.expr, known: set[str]) -> bool:
    if isinstance(node, ast.JoinedStr):
        return all(_is_fixed(part.value, known) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.BinOp):
        return _is_fixed(node.left, known) and _is_fixed(node.right, known)
    if isinstance(node, ast.Call) and _method(node) in ("format", "replace", "join"):
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        return all(_is_fixed(part, known) for part in given)
    if isinstance(node, ast.IfExp):
        return _is_constant(node.body, known) and _is_constant(node.orelse, known)
    return True  # a name is judged where it was made: every text() is


def _is_fixed(node: ast.expr, known: set[str]) -> bool:
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Name):
        return node.id.isupper() or node.id in known
    if isinstance(node, ast.Attribute):
        return node.attr.isupper()
    if isinstance(node, ast.Call) and _function(node) == "str":
        return all(_is_fixed(part, known) for part in node.args)
    if isinstance(node, ast.IfExp):
        return _is_fixed(node.body, known) and _is_fixed(node.orelse, known)
    return isinstance(node, (ast.JoinedStr, ast.BinOp)) and _is_constant(node, known)
