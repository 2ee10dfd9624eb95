"""The exception tree: every error that a user may see is one of these, and its text is one clear line."""

from __future__ import annotations


class GrokTuiError(Exception):
    """The root. Its text is shown to the user as it is; `exit_code` becomes the process's."""

    exit_code = 1


class ConfigError(GrokTuiError):
    """A preset or an override that is unknown, of the wrong type or out of bounds."""

    exit_code = 2


class PresetError(ConfigError):
    """A preset that does not exist or cannot be read."""


class PlanError(ConfigError):
    """A line of a plan that cannot be read, or that its run cannot take."""


class RunError(GrokTuiError):
    """A run that does not exist, is not in the state that was asked for, or is from a newer version."""


class RecordError(GrokTuiError):
    """A recording that cannot be written or read."""


class ProtocolError(GrokTuiError):
    """Bytes that are not a frame of this protocol."""


class LinkError(GrokTuiError):
    """The trainer could not be reached, or did not answer."""


class LaunchError(GrokTuiError):
    """The trainer process did not come up; carries the end of its log."""


class RefusedError(GrokTuiError):
    """A command that the trainer did not carry out, with its reason."""


class ExchangeError(GrokTuiError):
    """A file of another program that cannot be taken over, or one that cannot be written for it."""


class PackError(GrokTuiError):
    """A file that should have runs in it, and is not whole, not what it says, or from a newer version."""


class NoteError(GrokTuiError):
    """A note that cannot be kept or found, with its reason."""
