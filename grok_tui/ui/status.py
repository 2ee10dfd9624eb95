"""The status line: which run, how it stands, how far, how fast, which phase. Only what fits, most needed first.

With a cursor it says so, and the phase and the weight decay are those of the cursor's epoch, in its colour; how the
run stands stays what it is now.
"""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from grok_tui import wording
from grok_tui.science.phases import Phase
from grok_tui.state import RunState
from grok_tui.ui.panes import phase as phase_pane
from grok_tui.ui.panes.decay import in_force

WIDE = 100
"""From this width on, three cells stand between the pieces; two below."""

REDUCTIONS = (
    "class",
    "plan",
    "rate",
    "decay",
    "guard",
    "epoch",
    "device",
    "limit",
    "left",
    "plan",
    "rate",
    "phase",
    "epoch",
    "decay",
    "run",
    "epoch",
    "phase",
    "guard",
    "standing",
)
"""Which piece takes its next shorter form, until the line fits; the last form of each is nothing. How the run
stands is never left out, nor that an earlier epoch is shown."""

_STANDING_STYLES = {
    "live": "$good",
    "replaying": "$accent",
    "replay": "$accent",
    "replay paused": "$warn",
    "finished": "$good",
    "paused": "$warn",
    "stopped": "$warn",
    "reading": "$muted",
    "waiting": "$muted",
    "failed": "$bad",
    "cut off": "$bad",
}

_PHASE_STYLES = {
    Phase.FITTING: "$phase-fitting",
    Phase.MEMORIZATION: "$phase-memorization",
    Phase.CIRCUIT_FORMATION: "$phase-circuit",
    Phase.CLEANUP: "$phase-cleanup",
    Phase.GENERALIZED: "$phase-generalized",
    Phase.DIRECT: "$phase-direct",
    Phase.STALLED: "$phase-stalled",
    Phase.DEGRADED: "$phase-degraded",
}

MOVING = frozenset({"live", "replaying", "replay"})
"""How a run stands while its epochs go by."""

Forms = dict[str, tuple[str, ...]]
"""What each piece says, in the order of the line; longest form first."""


class StatusLine(Static):
    """The first line of the screen; sends nothing to the terminal while it says the same."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._said: Content | None = None

    def show(
        self,
        state: RunState,
        link: str,
        asked: tuple[float, ...],
        guard: str = "",
        cursor: int | None = None,
        tempo: str = "",
    ) -> None:
        """Say how the run stands.

        Args:
            state: what is known of the run.
            link: where it is known from, as `sources.Link`.
            asked: values of the weight decay that are not confirmed yet.
            guard: what keeps this viewer from changing the run; empty when nothing does.
            cursor: the epoch that is shown in place of now.
            tempo: how fast a replay is.
        """
        said = line(state, link, asked, max(self.size.width - 2, 1), guard, cursor, tempo)
        if said != self._said:
            self._said = said
            self.update(said, layout=False)


def line(
    state: RunState,
    link: str,
    asked: tuple[float, ...],
    width: int,
    guard: str = "",
    cursor: int | None = None,
    tempo: str = "",
) -> Content:
    """As much as fits into `width` cells."""
    gap = 3 if width >= WIDE else 2
    styles = _styles(state, wording.standing(state.state, link), cursor)
    texts = fit(forms(state, link, asked, guard, cursor, tempo), width, gap)
    return Content(" " * gap).join(Content.styled(text, styles.get(name, "")) for name, text in texts.items())


def forms(
    state: RunState,
    link: str,
    asked: tuple[float, ...],
    guard: str = "",
    cursor: int | None = None,
    tempo: str = "",
) -> Forms:
    """What there is to say of a run, and of the epoch at the cursor."""
    standing = wording.standing(state.state, link)
    rate = state.status.rate if state.status and standing in MOVING else 0.0
    device = str(state.hello.machine.get("device", "")) if state.hello else ""
    left = wording.left(state.epoch, state.epochs, rate)
    known: Forms = {
        "run": (state.run,),
        "device": (device,),
        "standing": (f"{wording.MARKS[standing]} {standing} {tempo}".rstrip(), f"{wording.MARKS[standing]} {standing}"),
        "guard": (f"{wording.MARKS[guard]} {guard}", wording.MARKS[guard]) if guard else (),
        "epoch": _progress(state),
        "rate": (f"{wording.rate(rate)} epochs/s", f"{wording.rate(rate)}/s") if rate else (),
        "limit": (f"≤ {state.status.limit:g}/s",) if state.status and state.status.limit else (),
        "left": (f"{left} left",) if left else (),
        "cursor": () if cursor is None else (f"at {cursor:,}",),
        "phase": _phase(state, cursor),
        "class": _class(state, cursor),
        "decay": _decay(state, asked, cursor),
        "plan": _plan(state),
    }
    return {name: found for name, found in known.items() if found and found[0]}


def fit(found: Forms, width: int, gap: int) -> dict[str, str]:
    """One form of each piece, so that all fit into `width` cells; what had to be left out is missing."""
    at = dict.fromkeys(found, 0)

    def texts() -> dict[str, str]:
        return {name: found[name][i] for name, i in at.items() if i < len(found[name])}

    for name in REDUCTIONS:
        shown = texts().values()
        if sum(map(len, shown)) + gap * (len(shown) - 1) <= width:
            break
        if name in at:
            at[name] += 1
    return texts()


def _plan(state: RunState) -> tuple[str, ...]:
    """Where it will pause, or how many rules wait; of a run that has finished, for how many it ended too soon."""
    waiting = len(state.plans.pending)
    if state.state == "finished":
        return (f"{waiting} never came", f"-{waiting}") if waiting else ()
    if state.plans.goal is not None:
        until = state.plans.goal.until.removeprefix("when ").removeprefix("at ")
        return (f"until {until}", "until …")
    return (f"{waiting} planned", f"+{waiting}") if waiting else ()


def _progress(state: RunState) -> tuple[str, ...]:
    if not state.epochs:
        return ()
    replaying = state.status is not None and state.status.state == "replaying"
    epoch = state.status.epoch if state.status is not None and replaying else state.epoch
    return (f"epoch {epoch:,} of {state.epochs:,}", f"{epoch:,}/{state.epochs:,}", f"{epoch:,}")


def _phase(state: RunState, cursor: int | None) -> tuple[str, ...]:
    if state.phases.last is None:
        return ()
    if phase_pane.is_alone(state):
        return (phase_pane.UNTOLD, phase_pane.UNTOLD.partition(":")[0])
    fold = state.phases_at(cursor)
    phase = fold.phase.value
    if cursor is not None:  # what was placed there later is said too, or a mark's phase would not stand at its mark
        now = next((b for b in reversed(state.phases.boundaries) if b.epoch <= cursor), None)
        if now is not None and now.confirmed > cursor and now.phase is not fold.phase:
            return (f"{now.phase} (known at {now.confirmed:,})", now.phase.split()[0])
    return (phase + (" (spike)" if fold.spike else ""), phase.split()[0])


def _class(state: RunState, cursor: int | None) -> tuple[str, ...]:
    """Of Liu et al., once nothing can change it."""
    found = state.phases_at(cursor).run_class.badge
    if phase_pane.is_alone(state):
        return ()
    return (f"Liu: {found.kind}",) if found.sure else ()


def _decay(state: RunState, asked: tuple[float, ...], cursor: int | None) -> tuple[str, ...]:
    if state.control("weight_decay") is None:
        return ()
    value = wording.number(in_force(state, "weight_decay", cursor))
    if asked:
        if cursor is not None:
            value += f", now {wording.number(state.control_value('weight_decay'))}"
        value += f" → {wording.number(asked[-1])} asked"
    return (f"weight decay {value}", f"wd {value}")


def _styles(state: RunState, standing: str, cursor: int | None) -> dict[str, str]:
    phase = "$muted" if phase_pane.is_alone(state) else f"bold {_PHASE_STYLES[state.phases.phase]}"
    return {
        "run": "bold",
        "device": "$muted",
        "standing": f"bold {_STANDING_STYLES[standing]}",
        "guard": "$warn",
        "cursor": "bold reverse $cursor",
        "phase": phase if cursor is None else "bold $cursor",
        "class": "" if cursor is None else "$cursor",
        "decay": "" if cursor is None else "bold $cursor",
    }
