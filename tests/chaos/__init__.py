"""The chaos harness: a Parley of real processes under fire, and a judge of what everybody was told meanwhile.

A story in parts, to be read in this order:

- `ground`: the processes that are broken, two web processes, a worker, a beat, PostgreSQL and both Redis, each its own;
- `faults`: what befalls them, by chance from a seed: kills, stops, full or read-only Redis, blackouts, all in combination;
- `line`, `people`, `strangers`, `crowd`: who uses it meanwhile: devices with outboxes that resend and follow (the model's
  client, on real sockets), tabs that close right after the ack, a guest who is removed and added, an outsider;
- `recording`: what they sent, were answered and heard;
- `checker`: the model's invariants on that history and on what the database holds at rest, and those that only real
  clients can judge (I8, I9);
- `run`: one run under fire; `probe`, `figures`: the times that Parley promises, each in a scene of its own;
- `controls`: what Parley would be without one of its safeguards (`plants`, put in by `launcher`), which the judge must find;
- `plug` (with `plug.c`): a power cut, which a kill is not; `storm`, `stormers`: two thousand clients that come back at once;
- `report`: the tables.
"""
