"""The model of what Parley promises, and the machine that tries to break it.

Read in this order: `system` (the words and the operations), `reference` (the promise), `simulated` (the design as
sixty-line parts), `client` (what a client does, by the protocol), `invariants` (I1 to I8), `machine` (the adversary).
"""
