"""A row of the table of keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the table: a key, or a few that belong together."""

    shown: str
    """As people write it, e.g. "+ ]"."""
    does: tuple[tuple[str, str], ...]
    """(Textual's name of the key, action) for each key of the row."""
    label: str
    """Two words, for the bottom line."""
    about: str
    """A sentence, for help, palette and README."""
    group: str
    hint: int = 0
    """Place in the bottom line, which drops the highest numbers first; 0 is not shown there."""
    needs: str = ""
    """"steer": only while the run can be steered. "pause": the same, or in a replay. "resume": only when it has ended
    early. "replay": only in a replay. "write": it changes a run
    in another way, or makes one, which a viewer that only looks may not. `screens.guarded` asks."""
    palette: tuple[tuple[str, str], ...] = field(default=())
    """(title, action) in the palette, where the row holds more than one thing to do; else its label."""

    @property
    def first(self) -> str:
        """The first key of the row, for the bottom line."""
        return self.shown.split()[0]

    @property
    def bindings(self) -> list[Binding]:
        """One Textual binding for each key; kept out of Textual's own footer."""
        return [Binding(key, action, self.label, show=False, tooltip=self.about) for key, action in self.does]

    @property
    def offers(self) -> tuple[tuple[str, str], ...]:
        """(title, action) of everything it does, for the palette."""
        return self.palette or ((self.label, self.does[0][1]),)


def one(shown: str, key: str, action: str, label: str, about: str, group: str, **more: object) -> Key:
    """A row of a single key."""
    return Key(shown, ((key, action),), label, about, group, **more)  # type: ignore[arg-type]
