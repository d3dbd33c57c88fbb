"""Replay a real chat log through a running Parley, then compare what everybody holds with the log.

A client like any other: it speaks HTTP and Socket.IO and imports nothing of the application (import-linter holds that).
``script`` reads a log · ``account`` is a person at the REST door · ``device`` a socket · ``sender`` one nick with its outbox ·
``listener`` who is there all the time · ``reader`` who comes late · ``compare`` finds differences · ``performance`` is one
replay from beginning to end · ``report`` and ``command`` show it.
"""
