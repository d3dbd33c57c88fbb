"""Each house law holds in the code, and bites on a planted offence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws import rules
from tests.laws.rules import Law

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[2]
APP = "app/**/*.py"
ALL = (APP, "*.py", "embedded/**/*.py")
SCRIPTS = "app/static/js/**/*.js"
# Files that may be longer, each with the length it may not pass.
LONGER = {"app/static/js/realtime/session.js": 325}

LAWS: dict[str, tuple[Law, tuple[str, ...], list[str]]] = {
    "one commit place": (rules.one_commit_place, (APP,), ["session.commit()", "def f(tx):\n  tx.session.commit()"]),
    "one emit place": (rules.one_emit_place, (APP,), ["socketio.emit('message', {})", "_server().emit('x', to=1)"]),
    "no print": (rules.no_print, (APP, "*.py"), ["print('here')"]),
    "eventlet and gevent only in wsgi.py and app/sockets/loop.py": (
        rules.green_only_at_the_door,
        ALL,
        ["import eventlet", "def f():\n  from gevent import pool", "import eventlet.tpool as t"],
    ),
    "no SQL made of values": (
        rules.no_sql_of_values,
        (APP,),
        [
            "tx.execute(f'SELECT {name}')",
            "tx.execute('SELECT ' + name)",
            "tx.execute('SELECT %s' % name)",
            "text('SELECT {}'.format(name))",
            "def f(name):\n  return text(f'SELECT {name}')",
            "def f(names):\n  cursor.execute('SELECT ' + ', '.join(names))",
            "def f(name):\n  return text(QUERY.replace('x', name))",
            "def f(name):\n  tx.change(text('SELECT 1' + (' x' if name else name)))",
            "def q(name):\n  return text(f'{name}')\ndef f(n):\n  return q(n)\nX = q('a')",
        ],
    ),
    "short files": (rules.short_files, (*ALL, SCRIPTS), ["\n" * 301]),
    "public things explained": (
        rules.public_things_explained,
        (APP,),
        ["x = 1", '"""M."""\ndef f(): pass', '"""M."""\nclass C:\n  """C."""\n  def f(self): pass'],
    ),
    "no raw HTML in the browser": (
        rules.no_raw_html,
        (SCRIPTS,),
        ["element.innerHTML = text", "eval(text)", "x.insertAdjacentHTML('beforeend', t)"],
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_law_holds(name: str) -> None:
    law, patterns, _ = LAWS[name]
    paths = sorted({path for pattern in patterns for path in ROOT.glob(pattern) if "vendor" not in path.parts})
    assert paths, "the law looks at nothing"
    found = {}
    for path in paths:
        where, source = str(path.relative_to(ROOT)), path.read_text()
        if name == "short files" and source.count("\n") <= LONGER.get(where, 0):
            continue
        if offences := law(where, source):
            found[where] = offences
    assert found == {}


@pytest.mark.parametrize(
    ("name", "planted"), [(name, one) for name, (_, _, planted) in LAWS.items() for one in planted]
)
def test_the_law_bites(name: str, planted: str) -> None:
    assert LAWS[name][0]("app/domain/planted.py", planted)


def test_sql_put_together_of_constants_is_lawful() -> None:
    lawful = (
        "A = text(f'SELECT {COLUMNS} {limits.CAP}')\nB = text(MINE + ' AND x')\n"
        "def _window(where):\n  return text(WINDOW.format(columns=COLUMNS, where=where))\nC = _window('x')\n"
        "def f(tx, name):\n  tx.execute(A, {'name': name})\n  tx.execute(LOCK if name else READ)\n"
    )
    assert rules.no_sql_of_values("app/x.py", lawful) == []


def test_no_file_is_allowed_more_than_it_needs() -> None:
    for where, most in LONGER.items():
        lines = (ROOT / where).read_text().count("\n")
        assert rules.LINES_MAX < lines <= most < lines + 25, f"{where} has {lines} lines"
