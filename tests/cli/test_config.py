"""Values of every kind, as presets and command lines give them."""

from __future__ import annotations

from typing import Any

import pytest

from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.errors import ConfigError


def overridden(key: str, value: Any) -> Config:
    return configs.override(Config(), [(key, value)])


def test_a_flag_is_true_or_false() -> None:
    assert overridden("measure.neuron_level", "true").measure.neuron_level is True
    assert overridden("notify.bell", False).notify.bell is False


@pytest.mark.parametrize("value", ["1", "yes", 1, 0.0])
def test_a_flag_is_nothing_else(value: object) -> None:
    with pytest.raises(ConfigError, match=r"notify\.bell = .*one of false, true was expected"):
        overridden("notify.bell", value)


@pytest.mark.parametrize("text", ["notify-send grokked", "12", "true", ""])
def test_a_text_stays_as_it_was_typed(text: str) -> None:
    assert overridden("notify.hook", text).notify.hook == text


@pytest.mark.parametrize("value", ["two\nlines", "x" * 1001])
def test_a_text_is_one_line(value: str) -> None:
    with pytest.raises(ConfigError, match="a line of text was expected"):
        overridden("notify.hook", value)


def test_a_number_where_text_is_meant_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"view\.layout = 3: a line of text was expected"):
        configs.from_tables({"view": {"layout": 3}}, "x.toml")


def test_what_is_written_is_what_is_read(tmp_path: Any) -> None:
    config = configs.override(Config(), [("notify.hook", 'say "grokked"'), ("measure.neuron_level", "true")])
    (tmp_path / "config.toml").write_text(configs.dump(config), encoding="utf-8")
    assert configs.load(tmp_path / "config.toml") == config


@pytest.mark.parametrize("key", ["task.p", "optimizer.lr"])
def test_a_number_that_is_no_float_is_out_of_bounds_and_said_in_a_line(key: str, tmp_path: Any) -> None:
    section, _, name = key.partition(".")
    for number in (f"1{'0' * 400}", f"-1{'0' * 400}", f"0x{'f' * 20_000}"):
        (tmp_path / "config.toml").write_text(f"[{section}]\n{name} = {number}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=rf"{key} = -?inf") as error:
            configs.load(tmp_path / "config.toml")
        assert len(str(error.value)) < 300
