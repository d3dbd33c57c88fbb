"""What can be set, what is refused, and that the documentation knows of it."""

import dataclasses
import re
from pathlib import Path

import pytest

from config import Config, ConfigError, load_config, setting_keys

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parent.parent
NEEDED = {"DATABASE_URL": "postgresql://app:pw@db.example.org/parley", "SECRET_KEY": "k" * 32}
PRODUCTION = NEEDED | {
    "CHAT_ENV": "production",
    "CHAT_ORIGINS": "https://chat.example.org",
    "SECRET_KEY": "0f3a5c9b7e1d2846a0b9c8d7e6f5041312233445566778899",
}


def refusal(**changes):
    with pytest.raises(ConfigError) as caught:
        load_config({**NEEDED, **changes})
    return str(caught.value)


def test_the_defaults_suit_a_developer():
    config = load_config({**NEEDED, "PORT": "8123"})
    assert (config.env, config.async_mode, config.web_concurrency, config.host) == (
        "development",
        "eventlet",
        1,
        "127.0.0.1",
    )
    assert config.redis_url is None
    assert config.message_log_redis_url is None
    assert config.database_owner_url == config.database_url
    assert config.origins == ("http://127.0.0.1:8123", "http://localhost:8123")
    assert (config.access_token_ttl_s, config.refresh_token_ttl_s, config.session_ttl_s) == (900, 2_592_000, 2_592_000)


def test_it_cannot_be_changed_after_reading():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_config(NEEDED).port = 1


def test_what_is_given_is_read():
    config = load_config(
        PRODUCTION
        | {
            "REDIS_URL": "redis://cache:6379/0",
            "MESSAGE_LOG_REDIS_URL": "rediss://log:6380/1",
            "RATE_LIMITS_ENABLED": "off",
            "CHAT_ORIGINS": "https://a.example.org, https://b.example.org/",
            "CHAT_INSTANCE_PATH": "/srv/parley",
        }
    )
    assert config.is_production
    assert not config.rate_limits_enabled
    assert config.origins == ("https://a.example.org", "https://b.example.org")
    assert config.message_log_redis_url == "rediss://log:6380/1"
    assert config.instance_path == Path("/srv/parley")


def test_the_log_shares_the_other_redis_unless_told_otherwise():
    assert load_config({**NEEDED, "REDIS_URL": "redis://r:1"}).message_log_redis_url == "redis://r:1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("redis://cache:6379/0", "redis://:p%40ss@cache:6379/0"),
        ("redis://someone@cache:6379/0", "redis://someone:p%40ss@cache:6379/0"),
        ("redis://:own@cache:6379/0", "redis://:own@cache:6379/0"),
    ],
)
def test_the_redis_password_joins_addresses_that_have_none(address, expected):
    assert load_config({**NEEDED, "REDIS_URL": address, "REDIS_PASSWORD": "p@ss"}).redis_url == expected


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_a_database_address_serves_both_libraries(scheme):
    config = load_config({**NEEDED, "DATABASE_URL": f"{scheme}://app:pw@db/parley"})
    assert config.database_url == "postgresql://app:pw@db/parley"
    assert config.sqlalchemy_url == "postgresql+psycopg2://app:pw@db/parley"


def test_an_empty_variable_counts_as_not_set():
    assert load_config({**NEEDED, "PORT": "", "CHAT_ENV": " "}).port == 5000


def test_secrets_are_not_printed():
    shown = repr(load_config({**PRODUCTION, "REDIS_URL": "redis://:hidden@r", "CHAT_SMTP_URL": "smtp://u:hidden@m"}))
    assert "hidden" not in shown
    assert PRODUCTION["SECRET_KEY"] not in shown
    assert "pw@" not in shown


@pytest.mark.parametrize("key", ["DATABASE_URL", "SECRET_KEY"])
def test_what_is_needed_is_asked_for_by_name(key):
    assert f"Set {key} to" in refusal(**{key: ""})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORT", "80a"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("WEB_CONCURRENCY", "0"),
        ("REDIS_CONNECT_TIMEOUT", "soon"),
        ("CHAT_LOG_MAX_ENTRIES", "1e6"),
        ("CHAT_ENV", "staging"),
        ("ASYNC_MODE", "asyncio"),
        ("MESSAGE_WRITE_MODE", "sideways"),
        ("RATE_LIMITS_ENABLED", "maybe"),
        ("DATABASE_URL", "mysql://db/parley"),
        ("REDIS_URL", "localhost:6379"),
        ("MESSAGE_LOG_REDIS_URL", "http://log"),
        ("CHAT_SMTP_URL", "mail.example.org"),
        ("CHAT_ORIGINS", "chat.example.org"),
        ("CHAT_ORIGINS", "https://chat.example.org/path"),
    ],
)
def test_a_wrong_value_is_refused_by_name(key, value):
    assert refusal(**{key: value}).startswith(f"Set {key} to ")


def test_an_unknown_chat_setting_is_refused():
    sentence = refusal(CHAT_ORIGIN="https://chat.example.org")
    assert "There is no setting CHAT_ORIGIN" in sentence
    assert "CHAT_ORIGINS" in sentence


def test_other_programs_variables_are_left_alone():
    load_config({**NEEDED, "CHATTER": "1", "PATH": "/bin"})


@pytest.mark.parametrize("secret", ["short", "k" * 31, "change-me-" * 5, "dev-" + "k" * 40, "a" * 64])
def test_production_refuses_a_weak_secret(secret):
    assert "SECRET_KEY" in refusal(**{**PRODUCTION, "SECRET_KEY": secret})


@pytest.mark.parametrize("origins", ["", "*", "https://chat.example.org,*"])
def test_production_refuses_to_let_any_site_act_for_its_people(origins):
    assert "CHAT_ORIGINS" in refusal(**{**PRODUCTION, "CHAT_ORIGINS": origins})


def test_every_setting_is_documented_and_nothing_else():
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(setting_keys())


def test_every_documented_default_is_the_real_one():
    text = (ROOT / "docs/configuration.md").read_text()
    for setting in dataclasses.fields(Config):
        if isinstance(setting.default, (bool, int)):
            default = str(setting.default).lower()
            assert f"| `{setting.metadata['key']}` | `{default}` |" in text, setting.name
