"""Access tokens: read with one key, which is looked at once, and with nothing else."""

from __future__ import annotations

import jwt
import pytest

from app.domain.credentials import OneKey

pytestmark = pytest.mark.fast
KEY = "k" * 32
PUBLIC = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


def test_a_token_is_read_with_its_key_alone() -> None:
    token = jwt.encode({"sub": "me"}, KEY, algorithm="HS256")
    assert isinstance(jwt.get_algorithm_by_name("HS256"), OneKey)
    for _ in range(2):
        assert jwt.decode(token, KEY, algorithms=["HS256"]) == {"sub": "me"}
        for other in ("l" * 32, KEY[1:] + "k "):
            with pytest.raises(jwt.InvalidSignatureError):
                jwt.decode(token, other, algorithms=["HS256"])
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(jwt.encode({"sub": "me"}, None, algorithm="none"), KEY, algorithms=["HS256"])


def test_a_key_that_is_somebodys_public_key_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(jwt.InvalidKeyError):
            jwt.encode({"sub": "me"}, PUBLIC, algorithm="HS256")
