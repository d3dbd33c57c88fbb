"""Start a web process or Celery with planted faults: `launcher.py wsgi.py` or `launcher.py celery -A celery_worker …`.

Only the harness's negative controls start processes by this; the product has no switch for any of it.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def main() -> None:
    """Patch, then be what was asked for."""
    program = sys.argv[1]
    if program.endswith(".py"):
        os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
        os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "4")
        import eventlet  # noqa: PLC0415

        eventlet.monkey_patch()
    from tests.chaos import plants  # noqa: PLC0415

    for name in os.environ["CHAOS_PLANTS"].split(","):
        plants.PLANTS[name]()
    sys.argv = sys.argv[1:]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


main()
