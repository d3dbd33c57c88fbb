"""`python -m tests.chaos`: what `make chaos` runs."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.ground import Ground
from tests.chaos.report import table
from tests.chaos.run import Run, Verdict


def main() -> int:
    """Run and report; the status is 1 where an invariant is broken."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--mode", choices=["behind", "through", "both"], default="both")
    chosen = parser.parse_args()
    modes = ["behind", "through"] if chosen.mode == "both" else [chosen.mode]
    verdicts = [_run(mode, chosen) for mode in modes]
    return 1 if any(verdict.broken for verdict in verdicts) else 0


def _run(mode: str, chosen: argparse.Namespace) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="parley-chaos-"))
    ground = Ground.make(folder, mode)
    try:
        ground.start()
        run = Run(ground, seed=chosen.seed)
        run.begin()
        run.suffer(until_s=60 * chosen.minutes / (2 if chosen.mode == "both" else 1), kills=chosen.kills)
        verdict = run.rest()
    finally:
        ground.close()
    print(table(verdict), flush=True)
    if verdict.broken:
        print(f"what the processes said is in {folder}", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict


sys.exit(main())
