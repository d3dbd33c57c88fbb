"""Clients that do not read, flood, or never say who they are: what each costs has an end, and everybody else is served."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

from tests.faults.conftest import BEHIND, THROUGH, Ground
from tests.faults.test_clients import ends, plug, signed_in
from tests.support.clients import Person, Socket, refused_connection, send_body
from tests.support.stack import until

POURED = 400  # messages of 16 KB: more than the bound and all that the kernel keeps between two processes
NARROW = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
MEMORY_MAX_KB = 48 * 1024


def memory_kb(ground: Ground, number: int) -> int:
    """What a web process holds in memory, with the processes it started."""
    running = ground.stack.webs[number].running
    assert running is not None
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if running.pid in (int(fields["Pid"]), int(fields["PPid"])):
                total += int(fields["VmRSS"].split()[0])
        except (OSError, KeyError):
            continue  # it has ended meanwhile
    return total


def test_one_who_does_not_read_is_cut_off_slows_nobody_and_misses_nothing(ground: Ground, name: str) -> None:
    ann, ben, cyd = (Person(ground.stack.urls[BEHIND], f"{name}-{who}") for who in ("a", "b", "c"))
    room = ann.room(name, ben, cyd)
    writer, reader = ann.socket(), cyd.socket()
    stuck = signed_in(ground, BEHIND, ben, sockopt=NARROW)
    before_kb = memory_kb(ground, BEHIND)
    slowest_s, most_kb = 0.0, 0
    for number in range(POURED):
        began = time.monotonic()
        writer.ok("message:send", send_body(room, "\N{PARTY POPPER}" * 3_990 + str(number)))
        slowest_s = max(slowest_s, time.monotonic() - began)
        if number % 50 == 0:
            most_kb = max(most_kb, memory_kb(ground, BEHIND))
    print(
        f"  beside one who does not read: slowest send {slowest_s:.2f} s, memory {(most_kb - before_kb) / 1024:+.1f} MB"
    )
    assert slowest_s < 5, f"a send took {slowest_s:.1f} s beside one who does not read"
    assert most_kb - before_kb < MEMORY_MAX_KB, f"memory grew by {(most_kb - before_kb) // 1024} MB"
    assert ends(stuck), "it is cut off, not waited for"
    reader.next("message", lambda event: event["content"].endswith(f"\N{PARTY POPPER}{POURED - 1}"), within_s=30)
    assert len(ben.everything(room)) == POURED


def test_a_flood_of_events_of_one_keeps_nobody_else_waiting(ground: Ground) -> None:
    flooding = signed_in(ground, BEHIND)
    flooding.settimeout(30)
    stopping = threading.Event()
    event = "42" + json.dumps(["typing", {"conversationId": "not an id"}])

    def flood() -> None:
        while not stopping.is_set():
            try:
                for _ in range(200):
                    flooding.send(event)
            except OSError:
                return

    flooder = threading.Thread(target=flood, daemon=True)
    flooder.start()
    try:
        slowest_s = max(ground.behind.try_once().after_s for _ in range(20))
    finally:
        stopping.set()
        flooding.sock.close()
        flooder.join(10)
    assert slowest_s < 3, f"a send took {slowest_s:.1f} s beside a flood"


def test_one_who_never_says_who_it_is_is_cut_off(ground: Ground) -> None:
    silent = plug(ground, BEHIND)
    silent.settimeout(30)
    began = time.monotonic()
    assert ends(silent)
    assert time.monotonic() - began < 25, "before the library's own patience ends"


def test_one_address_has_only_so_many_sockets(ground: Ground, name: str) -> None:
    url = ground.stack.urls[THROUGH]
    people = [Person(url, f"{name}-{number}") for number in range(3)]
    sockets: list[Socket] = []
    refusal = None
    for person in people * 5:
        refusal = refused_or_none(url, person, sockets)
        if refusal:
            break
    assert refusal is not None
    assert (refusal["code"], refusal["message"]) == ("rate_limited", "Too many connections from one address.")
    sockets.pop().close()
    until(lambda: refused_or_none(url, people[0], sockets) is None, what="room for another one")
    for device in sockets:
        device.close()


def refused_or_none(url: str, person: Person, sockets: list[Socket]) -> dict[str, str] | None:
    """Open one more socket, or give the refusal."""
    try:
        sockets.append(Socket(url, {"token": person.token}))
    except Exception:  # noqa: BLE001 - whatever the client library makes of it, the server is asked again for its words
        return refused_connection(url, {"token": person.token})
    return None
