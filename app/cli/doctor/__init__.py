"""``python -m app.cli doctor``: real round trips through every part; each failure is a sentence with its cure.

``command`` runs it, in the order of ``surroundings`` (which installation), the checks (one file a part), ``findings`` (running
them side by side, within a time) and ``report`` (the table). It looks from outside where it can: over the public address like
any client, with a person and a conversation of its own that are gone afterwards.
"""
