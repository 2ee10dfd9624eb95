"""Reads lines of the plan language. Every error is one line that says what was written and what was meant."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection

from grok_tui import config, plan
from grok_tui.errors import ConfigError, PlanError
from grok_tui.science.phases import Phase

LONGEST = 1000
"""Characters of a line."""

FARTHEST = 1_000_000_000
"""Epochs; a run has a tenth of these at most."""

FASTEST = 1_000_000.0
"""Epochs per second that a limit may name."""

_WHEN = ("at", "in", "when")
_DEEDS = ("set", "branch", "limit", *plan.DEEDS)
_ORDERS = ("run", "step", "until", "unplan")
_SHAPES = ("linear", "cosine", "warmup", "step", "constant", "off")
_COMPARED = {"<": True, "below": True, ">": False, "above": False}
_SPACED = re.compile(r"->|→|[<>*×,;:]|(?<!\d[eE])\+")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


class Reader:
    """One line, word by word."""

    def __init__(self, line: str, series: Collection[str] | None = None) -> None:
        self._line = " ".join(line.split())[: LONGEST + 1]
        self._series = series
        text = _SPACED.sub(lambda found: f" {found[0]} ", _GROUPED.sub("", self._line))
        self._words = text.replace("→", "->").replace("×", "*").split()

    def line(self) -> plan.Line:
        """The rule or the order that it says."""
        word = self._next
        if word not in _ORDERS:
            return self.rule()
        self._take()
        found: plan.Line
        if word == "step":
            found = plan.Go(plan.In(1))
        elif word == "run":
            found = plan.Go(plan.In(self._epochs("epochs to run, such as 100", 1)))
        elif word == "until":
            found = plan.Go(self._until())
        else:
            found = plan.Unplan(self._epochs("the number of a rule"))
        self._end()
        return found

    def moment(self) -> plan.When:
        """The moment that it says, and nothing else."""
        found = self._until()
        self._end()
        return found

    def rule(self) -> plan.Rule:
        """The rule that it says."""
        if len(self._line) > LONGEST or not self._line.isprintable():
            raise PlanError(f"a rule is one line of {LONGEST:,} characters at most")
        if self._next in _ORDERS:
            raise self._wrong(f"{self._next!r} is for a run in training, and not for a plan")
        when: plan.When | None = None
        if ":" in self._words or self._next in _WHEN:
            if ":" not in self._words:
                self._want_colon()
            when = self._when()
            self._expect(":", "after when comes a colon, then what is to be done, such as at 6000: pause")
        actions = [self._action()]
        while self._next == ";":
            self._take()
            if isinstance(actions[-1], plan.Do) and actions[-1].name == "stop":
                raise self._wrong("stop comes last: nothing can be done after it")
            actions.append(self._action())
        self._end()
        return plan.Rule(when, tuple(actions))

    def _want_colon(self) -> None:
        """Tell apart what is a moment in a line without a colon: up to where something to do begins."""
        words = self._words
        end = next((i for i, word in enumerate(words) if i and word in (*_DEEDS, ";")), len(words))
        if end == len(words):
            return
        self._words = words[:end]
        self._when()
        if self._next:
            self._words = words  # it was no whole moment, and more than a colon is missing
        else:
            raise self._wrong(f"a colon is missing after {' '.join(words[:end])!r}")

    @property
    def _next(self) -> str:
        return self._words[0] if self._words else ""

    def _take(self) -> str:
        return self._words.pop(0) if self._words else ""

    def _wrong(self, why: str) -> PlanError:
        return PlanError(f"{self._line!r}: {why}" if self._line else why)

    def _expect(self, word: str, why: str) -> None:
        if self._next != word:
            there = f"{self._next!r} stands there" if self._next else "nothing follows"
            raise self._wrong(f"{why}; {there}")
        self._take()

    def _end(self) -> None:
        if self._next:
            raise self._wrong(f"{' '.join(self._words)!r} is left over; several actions stand with ; between them")

    def _unknown(self, word: str, known: Collection[str], what: str) -> PlanError:
        near = difflib.get_close_matches(word, known, 1, 0.5)
        names = ", ".join(list(known)[:12]) + (", ..." if len(known) > 12 else "")
        hint = f"did you mean {near[0]!r}?" if near else f"known: {names}"
        return self._wrong(f"{word!r} is no {what}; {hint}" if word else f"{what} was expected: {names}")

    def _number(self, what: str) -> float:
        word = self._take()
        try:
            found = float(word)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise self._wrong(f"{what} was expected, not {word!r}" if word else f"{what} was expected")
        return found

    def _epochs(self, what: str, least: int = 0) -> int:
        word = self._next
        found = self._number(what)
        if not (found.is_integer() and least <= found <= FARTHEST):
            raise self._wrong(f"{what}: a whole number from {least} to {FARTHEST:,} was expected, not {word!r}")
        return int(found)

    def _when(self) -> plan.When:
        word = self._take()
        if word == "at":
            return plan.At(self._epochs("an epoch, such as 6000"))
        if word == "in":
            return plan.In(self._epochs("epochs from now, such as 500", 1))
        if word == "when":
            return self._condition()
        raise self._unknown(word, _WHEN, "word to begin with")

    def _until(self) -> plan.When:
        if self._next in _WHEN:
            return self._when()
        if self._next[:1].isdigit():
            return plan.At(self._epochs("an epoch, such as 6000"))
        return self._condition()

    def _condition(self) -> plan.When:
        said: list[str] = []
        while self._next and self._next not in (":", "+", *_COMPARED):
            said.append(self._take())
        if self._next in _COMPARED:
            series, below = config.control(" ".join(said)), _COMPARED[self._take()]
            if (self._series is not None and series not in self._series) or not series.isidentifier():
                raise self._unknown(series, sorted(self._series or ()) or ["test_loss", "test_accuracy"], "series")
            value = self._number(f"a value of {series}")
            return plan.Crossing(series, below, value, self._after())
        return plan.Entering(self._phase(" ".join(said)), self._after())

    def _phase(self, said: str) -> Phase:
        for phase in Phase:
            if said.lower() in (phase.value, phase.value.split()[0]):
                return phase
        if self._series is not None and said in self._series:
            raise self._wrong(f"{said} is below or above a value, such as {said} < 1")
        raise self._unknown(said, [phase.value for phase in Phase], "phase")

    def _after(self) -> int:
        if self._next != "+":
            return 0
        self._take()
        return self._epochs("epochs after it, such as + 500")

    def _action(self) -> plan.Action:
        word = self._take()
        if word == "set":
            return self._set()
        if word == "branch":
            return self._branch()
        if word == "limit":
            return self._limit()
        if word in plan.DEEDS:
            return plan.Do(word)
        raise self._unknown(word, (_DEEDS if ":" not in self._words else (*_WHEN, *_DEEDS)), "action")

    def _set(self) -> plan.Action:
        control = self._control()
        if self._next and (self._next in _SHAPES or (self._next[0].isalpha() and not _is_number(self._next))):
            return self._schedule(control)
        return plan.Set(control, self._value(control))

    def _control(self) -> str:
        word = config.control(self._take())
        if word not in config.CONTROLS:
            raise self._unknown(word, config.CONTROLS, "control")
        return word

    def _value(self, control: str) -> float:
        found = self._number(f"a value of {control}")
        try:
            return config.check(f"optimizer.{control}", found, control)
        except ConfigError as error:
            raise self._wrong(str(error)) from None

    def _schedule(self, control: str) -> plan.Action:
        shape = self._take()
        if shape not in _SHAPES:
            raise self._unknown(shape, _SHAPES, f"way to set {control}")
        if shape == "off":
            return plan.Set(control, 0.0)
        if shape == "constant":
            return plan.Set(control, self._value(control))
        if shape == "step":
            return self._stairs(control)
        start = None if self._next == "->" else self._value(control)
        end = start
        if self._next == "->":
            self._take()
            end = self._value(control)
        else:
            start = None
        self._expect("over", f"how long was expected, such as {shape} 1 -> 0 over 3000")
        assert end is not None
        return plan.Ramp(control, shape, start, end, self._epochs("epochs", 1))

    def _stairs(self, control: str) -> plan.Stairs:
        start = None if self._next == "*" else self._value(control)
        self._expect("*", "a factor was expected, such as step *0.5 every 1000")
        factor = self._number("a factor")
        if not 0 <= factor <= 1e6:
            raise self._wrong(f"a factor from 0 to 1e6 was expected, not {factor:g}")
        self._expect("every", f"how often was expected, such as step *{factor:g} every 1000")
        every = self._epochs("epochs", 1)
        times = 0
        if self._next == "times":
            self._take()
            times = self._epochs("how many times", 1)
        return plan.Stairs(control, start, factor, every, times)

    def _branch(self) -> plan.Branch:
        if self._next in ("", ";"):
            return plan.Branch()
        control = self._control()
        return plan.Branch(control, self._value(control))

    def _limit(self) -> plan.Limit:
        if self._next == "off":
            self._take()
            return plan.Limit(0.0)
        rate = self._number("epochs per second, or off,")
        if rate and not 0.01 <= rate <= FASTEST:
            raise self._wrong(f"a limit from 0.01 to {FASTEST:,.0f} epochs per second was expected, or off")
        return plan.Limit(rate)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
