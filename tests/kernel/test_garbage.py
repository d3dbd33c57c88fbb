"""What serves for long does not stop for a full round of the cycle collector."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANYBODY = "import gc; from app.kernel.garbage import calm_collector; gc.disable(); calm_collector()"
WORKER = """
import gc, threading
import celery_worker
celery_worker.start_worker = lambda app: threading.Event()
celery_worker._start()
"""
LOOK = "\nprint(gc.isenabled(), gc.get_freeze_count() > 1_000, gc.get_threshold() > (10_000, 10, 10))"


@pytest.mark.fast
def test_what_is_there_is_left_alone_and_the_rest_is_looked_at_seldom() -> None:
    assert _run(ANYBODY, {}) == ["True", "True", "True"]


def test_a_worker_is_among_them(services: dict[str, str]) -> None:
    assert _run(WORKER, {**services, "SECRET_KEY": "k" * 32}) == ["True", "True", "True"]


def _run(program: str, settings: dict[str, str]) -> list[str]:
    command, environment = [sys.executable, "-c", program + LOOK], {**os.environ, **settings}
    looked = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert looked.returncode == 0, looked.stderr[-2000:]
    return looked.stdout.split()
