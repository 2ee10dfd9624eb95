"""Branches: a new run that shares another one's past up to an epoch, and goes its own way from there.

The child is a run directory like any other. It holds the parent's recording and ledger up to the epoch, as
far as they count, and its weights and resume points as hard links, so that it takes little room and stays
whole when the parent is deleted. Its trainer starts as on a resume: from the nearest resume point, with the
ledger's changes at their epochs. The parent is only read, also while it is being trained.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grok_tui import codec, ledger, lineage, notes, planned, record, runs
from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.course import STEERED, Course
from grok_tui.errors import ConfigError, RunError
from grok_tui.ledger import Entry
from grok_tui.lineage import Lineage
from grok_tui.plan import Branch
from grok_tui.planned import Planned
from grok_tui.protocol import Event, Hello
from grok_tui.runs import Run
from grok_tui.trunk import Trunk, renumbered

PATIENCE = 3.0
"""Seconds for a living parent to record an epoch that it has come to: it does so a few times a second."""

OWN = ("training.epochs", "measure.*", "record.*", "notify.*", "view.*")
"""What of its configuration a branch may have otherwise: nothing that its past was made with."""


def create(
    parent: Run,
    epoch: int,
    changes: Mapping[str, float] | None = None,
    settings: Iterable[tuple[str, str]] = (),
    before: int | None = None,
    asked: int | None = None,
) -> Run:
    """A new run with the parent's past up to `epoch`; whole, or not there at all. Nobody trains it yet.

    Args:
        parent: is only read.
        epoch: from which on the two may differ.
        changes: controls that have another value from there on.
        settings: dotted keys of the configuration and their values: those of `OWN`.
        before: the ledger's entry of that number, and all after it, are left out.
        asked: the ledger's entry by which the parent itself asked for the branch: it shares nothing that came after it.

    Raises:
        ConfigError: a change or a setting is unknown, out of bounds, or none that a branch may have.
        RunError: the parent has no such past, or the branch cannot be made.
        RecordError: the parent's recording cannot be read.
    """
    runs.check(parent.path)
    settings = tuple(settings)
    config = _config(parent.config, settings)
    checked = _checked(changes or {})
    trunk = _trunk(parent, epoch)
    _check(parent, trunk, epoch, config.training.epochs)
    kept, without = _kept(parent, trunk, epoch, before, asked)
    wanted = {name: new for name, new in checked.items() if not _stays(_course(name, config, kept), epoch, new)}
    born = time.time()
    own = Lineage(
        parent.name,
        epoch,
        lineage.born(parent.path, parent.frames),
        born,
        wanted,
        {key: str(value) for key, value in settings},
        without[0].text if without else "",
        asked or 0,
    )
    stale = any(e.epoch == epoch and e.what in STEERED and e not in kept for e in trunk.entries)
    past = _Past(trunk, epoch, kept, _steps(own, config, kept, _given_up(kept, without, asked)))

    def fill(child: Run) -> None:
        record.write(child.frames, past.payloads(_greeting(trunk.hello(epoch), child, config)))
        ledger.write(child.ledger, past.entries)
        lineage.write(child.path, own)
        _share(parent.weights, child.weights, epoch)
        _share(parent.resume_points, child.resume_points, epoch - stale)  # that of this epoch may hold what is left out
        notes.hand_down(parent, child, epoch)

    return runs.create(config, fill, parent)


def last(parent: Run, before: int | None = None) -> int:
    """The last epoch at which a branch may begin; with `before` that of the entry which is left out.

    Raises:
        RunError: nothing is recorded.
        RecordError: it cannot be read.
    """
    trunk = Trunk(parent)
    left_out = [entry.epoch for entry in trunk.entries if before is not None and entry.seq >= before]
    end = trunk.end if trunk.diverged is None else max(trunk.diverged - 1, 0)
    return min([*left_out, end])


def start(run: Run) -> int:
    """The epoch from which a branch is computed again: of its newest resume point, or 0."""
    return max((int(path.stem) for path in run.resume_points.glob("*.safetensors") if path.stem.isdecimal()), default=0)


def _trunk(parent: Run, epoch: int) -> Trunk:
    """The parent's past. A trainer says at once where it is, and records it a little later: that is waited for."""
    deadline = time.monotonic() + PATIENCE
    while (trunk := Trunk(parent)).end < epoch and parent.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    return trunk


def _config(config: Config, settings: tuple[tuple[str, str], ...]) -> Config:
    """The parent's configuration with the branch's own settings."""
    known = configs.keys()
    for key, _ in settings:
        if key in known and not any(key == own or key.startswith(own.rstrip("*")) for own in OWN):
            control = key.removeprefix("optimizer.")
            hint = f"change it with --{control.replace('_', '-')}" if control in configs.CONTROLS else ""
            may = hint or f"what may: {', '.join(OWN)}"
            raise ConfigError(f"{key} cannot be set in a branch, whose past was made with the parent's; {may}")
    return configs.override(config, settings)


def _checked(changes: Mapping[str, float]) -> dict[str, float]:
    for name in changes:
        if name not in configs.CONTROLS:
            raise ConfigError(f"there is no control {name[:40]!r}; there are {', '.join(configs.CONTROLS)}")
    return {name: configs.check(f"optimizer.{name}", value, name) for name, value in changes.items()}


def _check(parent: Run, trunk: Trunk, epoch: int, epochs: int) -> None:
    """Pass if the parent has a past up to `epoch`, and the branch a future."""
    if epoch < 0:
        raise ConfigError(f"epoch {epoch}: 0 or more was expected")
    if trunk.imported:
        raise RunError(f"{parent.name} was imported: it has weights, but no training that a branch could go on with")
    if epoch > trunk.end:
        raise RunError(f"{parent.name} is recorded up to epoch {trunk.end:,}; there is no epoch {epoch:,} to branch at")
    if (bad := trunk.diverged) is not None and epoch >= bad:
        raise RunError(f"{parent.name} diverged: its train loss is not finite from epoch {bad:,} on; branch before it")
    if epoch >= epochs:
        raise RunError(f"epoch {epoch:,} is the end of {epochs:,} epochs: give the branch more of them (--epochs)")
    if trunk.unwritten:
        raise RunError(f"{parent.name}: its ledger lacks entry {trunk.unwritten[0]}, so its past cannot be repeated")


def _kept(
    parent: Run, trunk: Trunk, epoch: int, before: int | None, asked: int | None
) -> tuple[list[Entry], list[Entry]]:
    """The parent's interventions up to `epoch` that the branch keeps, and those that it leaves out for `before`."""
    if before is None:
        last = math.inf if asked is None else asked
        return [entry for entry in trunk.entries if entry.epoch <= epoch and entry.seq <= last], []
    if before not in {entry.seq for entry in trunk.entries if entry.what != "branched"}:
        raise RunError(f"{parent.name}: its ledger has no intervention {before} that could be left out")
    later = [entry for entry in trunk.entries if entry.seq >= before]
    if (first := min(entry.epoch for entry in later)) < epoch:
        raise RunError(f"{parent.name}: to leave out what was done at epoch {first:,}, branch there or before")
    kept = [entry for entry in trunk.entries if entry.epoch <= epoch and entry.seq < before]
    return kept, later


def _course(name: str, config: Config, kept: Iterable[Entry]) -> Course:
    """What was done to a control up to the branch."""
    course = Course(float(getattr(config.optimizer, name)))
    for entry in kept:
        if entry.what in STEERED and entry.data.get("control") == name:
            course.take(entry.epoch, entry.what, entry.data)
    return course


def _stays(course: Course, epoch: int, value: float) -> bool:
    """Whether a control would have `value` from the epoch on without being changed."""
    return course.at(epoch) == value and course.running(epoch) is None


def _given_up(kept: list[Entry], without: list[Entry], asked: int | None) -> list[Planned]:
    """The parent's rules that are not the branch's: one that was carried out in part, and the one that is undone.

    And those that make branches, if one of them made this: n of them make n branches, none of which branches on.
    """
    first = without[0] if without else None
    undone = first.data.get("id" if first.what == "fired" else "by") if first else None
    return [
        rule
        for rule in planned.of(kept).pending
        if rule.done or rule.id == undone or (asked is not None and _branches(rule))
    ]


def _branches(planned: Planned) -> bool:
    return planned.rule is not None and any(isinstance(action, Branch) for action in planned.rule.actions)


def _steps(own: Lineage, config: Config, kept: list[Entry], given_up: list[Planned]) -> list[Entry]:
    """What is done in the branch itself: that it was made, and the changes."""
    now, epoch = own.born, own.epoch
    text = f"branched from {own.parent} at epoch {epoch:,}" + (f", without {own.without}" if own.without else "")
    steps = [Entry(0, now, epoch, "branched", True, text, {"parent": own.parent})]
    for rule in given_up:
        told = f"plan {rule.id} is {own.parent}'s alone: {rule.line}"
        steps.append(Entry(0, now, epoch, "unplanned", True, told, {"id": rule.id}))
    for name, value in own.changes.items():
        previous = _course(name, config, kept).at(epoch)
        data = {"control": name, "value": value, "previous": previous}
        steps.append(Entry(0, now, epoch, "changed", True, f"{name} {previous:g} → {value:g}", data))
    return steps


def _greeting(hello: Hello, child: Run, config: Config) -> Hello:
    """The parent's greeting as the branch's: made on that machine, but another run."""
    return replace(hello, run=child.name, config=configs.to_tables(config), epochs=config.training.epochs)


@dataclass
class _Past:
    """The branch's recording and ledger, whose numbers fit each other."""

    trunk: Trunk
    epoch: int
    kept: list[Entry]
    steps: list[Entry]

    @property
    def entries(self) -> list[Entry]:
        """Numbered anew, without gaps."""
        return [replace(entry, seq=seq) for seq, entry in enumerate((*self.kept, *self.steps), 1)]

    def payloads(self, hello: Hello) -> Iterable[bytes]:
        """The recording: what the parent had recorded, then what was done in the branch."""
        yield codec.pack(hello)
        numbers = {entry.seq: seq for seq, entry in enumerate(self.kept, 1)}
        told = set()
        for item in self.trunk.upto(self.epoch):
            if isinstance(item.frame, Event) and item.frame.seq:
                if item.frame.seq not in numbers:
                    continue
                told.add(numbers[item.frame.seq])
                item = renumbered(item.frame, numbers[item.frame.seq])
            yield item.payload
        for entry in self.entries:
            if entry.seq not in told:  # a kill kept it out of the parent's recording, or it is the branch's own
                data = entry.data | ({"epoch": entry.epoch} if entry.what == "branched" else {})
                yield codec.pack(Event(entry.epoch, entry.what, entry.text, entry.time, entry.seq, data))


def _share(source: Path, target: Path, epoch: int) -> None:
    """Have the files of the epochs up to `epoch` in both directories, as hard links where that can be."""
    target.mkdir()
    for path in source.glob("*.safetensors"):
        if not path.stem.isdecimal() or int(path.stem) > epoch:
            continue
        try:
            os.link(path, target / path.name)
        except FileNotFoundError:  # thinned out at this moment
            continue
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            _copy(path, target / path.name)


def _copy(source: Path, target: Path) -> None:
    """On a file system without hard links, or across two."""
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:  # thinned out at this moment
        target.unlink(missing_ok=True)
