"""`python -m tests.chaos`: what `make chaos` runs. Runs under fire, then the figures, then the negative controls."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.chaos import report, storm
from tests.chaos.controls import CONTROLS, POWER_CONTROLS, POWER_CUTS, Control
from tests.chaos.figures import measure
from tests.chaos.ground import Ground
from tests.chaos.plug import is_possible
from tests.chaos.run import Run

Part = Callable[[Ground, argparse.Namespace], bool]


def main() -> int:
    """Do what was asked for; the status is 1 where an invariant is broken or a control was not found out."""
    chosen = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="parley-chaos-"))
    wanted = [name for name in PARTS if name in (chosen.only or PARTS)]
    found = []
    for plugged in (False, True):
        parts = [PARTS[name][0] for name in wanted if PARTS[name][1] is plugged]
        if plugged and not is_possible():
            print("There is no C compiler here: the power cuts are left out.")
        elif parts:
            found += _on_ground(folder / ("plugged" if plugged else "plain"), parts, chosen, plugged=plugged)
    if all(found):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"What the processes said is in {folder}.")
    return 0 if all(found) else 1


def _on_ground(folder: Path, parts: list[Part], chosen: argparse.Namespace, *, plugged: bool) -> list[bool]:
    folder.mkdir()
    ground = Ground.make(folder, plugged=plugged)
    try:
        return [part(ground, chosen) for part in parts]
    finally:
        ground.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=2.0, help="of fire, in each mode")
    parser.add_argument("--kills", type=int, default=0, help="go on until there were so many, in each mode")
    parser.add_argument("--mode", choices=["behind", "through", "both"], default="both")
    parser.add_argument("--clients", type=int, default=storm.CLIENTS, help="of the reconnect storm")
    parser.add_argument("--only", nargs="+", choices=list(PARTS))
    return parser.parse_args()


def _modes(chosen: argparse.Namespace) -> list[str]:
    return ["behind", "through"] if chosen.mode == "both" else [chosen.mode]


def _runs(ground: Ground, chosen: argparse.Namespace) -> bool:
    verdicts = []
    for mode in _modes(chosen):
        ground.become(mode)
        ground.start()
        run = Run(ground, seed=chosen.seed)
        run.begin()
        run.suffer(until_s=60 * chosen.minutes, kills=chosen.kills)
        verdicts.append(run.rest())
        print(report.of_run(verdicts[-1]), flush=True)
    return not any(verdict.broken for verdict in verdicts)


def _figures(ground: Ground, chosen: argparse.Namespace) -> bool:
    for mode in _modes(chosen):
        print(report.of_figures(mode, measure(ground, mode, seed=chosen.seed)), flush=True)
    return True  # times depend on the machine: they are for reading


def _controls(ground: Ground, chosen: argparse.Namespace) -> bool:
    found = [(control, control.run(ground, seed=chosen.seed)) for control in CONTROLS]
    print(report.of_controls(found), flush=True)
    return all(control.is_found_out(verdict) for control, verdict in found)


def _storm(ground: Ground, chosen: argparse.Namespace) -> bool:
    print(report.of_storm(storm.measure(ground, "behind", count=chosen.clients)), flush=True)
    return True  # as the figures


def _power(ground: Ground, chosen: argparse.Namespace) -> bool:
    verdicts = []
    for mode in _modes(chosen):
        before = ground.unsynced_bytes
        verdicts.append(Control("nothing", (), POWER_CUTS[mode], mode=mode).run(ground, seed=chosen.seed))
        print(
            report.of_run(verdicts[-1]) + f"Not synced at the cuts: {ground.unsynced_bytes - before} bytes.\n",
            flush=True,
        )
    found = [(control, control.run(ground, seed=chosen.seed)) for control in POWER_CONTROLS]
    print(report.of_controls(found), flush=True)
    is_found_out = all(control.is_found_out(verdict) for control, verdict in found)
    return is_found_out and not any(verdict.broken for verdict in verdicts)


PARTS: dict[str, tuple[Part, bool]] = {
    "runs": (_runs, False),
    "figures": (_figures, False),
    "controls": (_controls, False),
    "storm": (_storm, False),
    "power": (_power, True),
}

sys.exit(main())
