"""Settings from flags, environment and file."""

from pathlib import Path
from typing import Any

import pytest

from hearline.config import Settings, load_settings
from hearline.errors import ConfigurationError


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hearline.toml"
    file.write_text('port = 1\nengine = "file"\nmodels = "/file"\n')
    environment = {"HEARLINE_PORT": "2", "HEARLINE_ENGINE": "environment"}
    settings = load_settings({"port": 3, "engine": None}, environment, file)
    assert settings == Settings(port=3, engine="environment", models=Path("/file"))


def test_nothing_given_means_the_defaults() -> None:
    assert load_settings({}, {}) == Settings()


def test_a_public_address_needs_a_key() -> None:
    with pytest.raises(ConfigurationError, match=r"host 0\.0\.0\.0.*api_key"):
        Settings(host="0.0.0.0")  # noqa: S104 - refused, as the test says
    Settings(host="0.0.0.0", api_key="sk-1")  # noqa: S104 - nothing listens


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Settings(api_key="secret"))


@pytest.mark.parametrize(
    ("text", "flags", "named"),
    [
        ("port = 'x'", {}, "port"),
        ("prot = 1", {}, "prot"),
        ("port = ", {}, r"bad\.toml"),
        ("", {"port": 70000}, "70000"),
        ("models = 1", {}, "path"),
        ("api_key = ''", {}, "api_key is empty"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, text: str, flags: dict[str, Any], named: str
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        load_settings(flags, {}, file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        load_settings({}, {}, tmp_path / "none.toml")
