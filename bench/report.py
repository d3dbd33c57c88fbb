"""A table and small plots of a run's results."""

from __future__ import annotations

from pathlib import Path

from bench.awareness import TARGETS
from bench.run import SHAPES, Results, median

COLOURS = {"naive": "#b8b8b8", "parley behind": "#2f6f9f", "parley through": "#7fb2d0"}


def _target(name: str) -> str:
    return f" (target: below {TARGETS[name]:,})" if name in TARGETS else ""


ROWS = [
    *((f"closed {r}x{m}", name, f"{r} rooms of {m}, 50 senders awaiting acks: {text}") for r, m in SHAPES for name, text in (
        ("messagesPerS", "messages/s"), ("deliveriesPerS", "deliveries/s"),
        ("cpuMsPer1000", "server CPU ms per 1,000 deliveries"),
        ("ackP50Ms", "ack p50 ms"), ("ackP99Ms", "ack p99 ms"))),
    *((f"steady {r}x{m}", name, f"{r} rooms of {m}, 50 messages/s: {text}") for r, m in SHAPES for name, text in (
        ("p50Ms", "send to delivery p50 ms"), ("p95Ms", "p95 ms"), ("p99Ms", "p99 ms"))),
    *((f"storm {r}x{m}", "allS", f"{r} rooms of {m}: all 500 back with their 100 missed messages, s") for r, m in SHAPES),
    *((f"storm {r}x{m}", "oneP50Ms", f"{r} rooms of {m}: one client alone fetches 100 missed messages, p50 ms")
      for r, m in SHAPES),
    ("idle", "kibPerClient", "memory of the web process per idle client, KiB"),
    ("idle", "connectsPerS", "connects/s"),
    ("idle", "cpuMsPerConnect", "web CPU ms per connect"),
    *(("awareness", name, f"50 messages/s, typing, reading, coming and going: {text}{_target(name)}") for name, text in (
        ("messageP95Ms", "message p95 ms"), ("typingP99Ms", "typing p99 ms"), ("receiptP95Ms", "receipt p95 ms"),
        ("presenceP95Ms", "presence p95 ms"), ("presenceMostMs", "presence, slowest, ms"),
        ("reconnectMostMs", "reconnect until ready, slowest, ms"), ("cores", "processors kept busy by the server"))),
]  # fmt: skip
PLOTS = [("closed 50x10", "messagesPerS"), ("closed 50x10", "cpuMsPer1000"), ("closed 1x500", "cpuMsPer1000"),
         ("steady 50x10", "p99Ms"), ("storm 50x10", "allS"), ("idle", "kibPerClient"),
         ("awareness", "presenceMostMs")]  # fmt: skip


def table(results: Results) -> str:
    """Give the medians (least to most) as a Markdown table."""
    servers = list(results)
    lines = ["| | " + " | ".join(servers) + " |", "|---" * (len(servers) + 1) + "|"]
    for work, name, title in ROWS:
        cells = [_cell(results[server].get(work, []), name) for server in servers]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(found: list[dict[str, float]], name: str) -> str:
    if not found:
        return "–"
    numbers = [one[name] for one in found]
    broken = "" if all(one.get("complete", True) for one in found) else " (incomplete)"
    spread = f" ({_short(min(numbers))}–{_short(max(numbers))})" if len(numbers) > 1 else ""
    return f"{_short(median(found, name))}{spread}{broken}"


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def plots(results: Results, folder: Path) -> None:
    """Draw each of the main numbers as bars."""
    titles = {(work, name): title for work, name, title in ROWS}
    for work, name in PLOTS:
        bars = {server: median(found[work], name) for server, found in results.items() if work in found}
        (folder / f"{work.replace(' ', '-')}-{name}.svg").write_text(_bars(titles[work, name], bars))


def _bars(title: str, bars: dict[str, float]) -> str:
    most = max(bars.values()) or 1
    lines = [f'<text x="8" y="18" font-size="13">{title}</text>']
    for number, (server, value) in enumerate(bars.items()):
        y, width = 30 + 24 * number, 300 * value / most
        lines.append(f'<text x="8" y="{y + 13}">{server}</text>')
        lines.append(f'<rect x="110" y="{y}" width="{width:.1f}" height="17" fill="{COLOURS.get(server, "#888")}"/>')
        lines.append(f'<text x="{116 + width:.1f}" y="{y + 13}">{_short(value)}</text>')
    height = 38 + 24 * len(bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="520" height="{height}" font-family="sans-serif" font-size="12">'
        f"{''.join(lines)}</svg>\n"
    )
