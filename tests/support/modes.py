"""Which write modes a test runs in."""

from __future__ import annotations

import pytest

# The mode does not matter: run in one, on the stack that the tests of both modes share (`pytestmark = one_mode`).
one_mode = [
    pytest.mark.parametrize("mode", ["behind"], indirect=True, scope="session"),
    pytest.mark.usefixtures("mode"),
]
