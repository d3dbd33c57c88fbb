"""The cycle collector of a process that serves."""

from __future__ import annotations

import gc


def calm_collector() -> None:
    """Have the cycle collector leave alone what lives as long as the process, and look less often at the rest.

    Each of its full rounds walks over all that is reachable, a tenth of a second and more, while every client and the drain
    wait; few cycles are made in serving. To be called once a process, when it has begun.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
