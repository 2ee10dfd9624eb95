"""Whether a run can keep a plan, as far as that is known: for one that is yet to begin, and for one in training."""

from __future__ import annotations

from collections.abc import Iterable

from grok_tui import catalogue, plan
from grok_tui.config import CONTROLS, Config
from grok_tui.errors import PlanError
from grok_tui.plan import Action, At, Branch, Do, In, Rule, When

HOOKLESS = "no hook was given"


def series(config: Config) -> frozenset[str]:
    """What a condition of such a run's plan may be about."""
    return frozenset(info.name for info in catalogue.series(config)) | frozenset(CONTROLS)


def check(config: Config, lines: Iterable[str], source: str) -> None:
    """Pass if a run of `config` can keep these lines from its beginning on.

    Raises:
        PlanError: it cannot keep one; names `source`, the line, why and what helps.
    """
    known = series(config)
    for line in lines:
        try:
            rule = plan.parse(line, known)
            if why := refusal(config, rule):
                raise PlanError(f"{line!r}: {why}")
        except PlanError as error:
            raise PlanError(f"{source}: {error}") from None


def refusal(config: Config, rule: Rule) -> str:
    """Why a run of `config` that is yet to begin cannot keep a rule that can be read; empty when it can."""
    if why := beyond(rule.when, config.training.epochs):
        assert isinstance(rule.when, At | In)
        enough = rule.when.epoch if isinstance(rule.when, At) else rule.when.epochs
        return f"{why}; --epochs {enough} or more would have it come there"
    if why := childless(rule, config.training.epochs):
        return f"{why}; --epochs {config.training.epochs + 1} or more would have it go on there"
    if hooks(rule.actions) and not config.notify.hook:
        return f"{HOOKLESS}; --set notify.hook=COMMAND gives one"
    return ""


def beyond(when: When | None, last: int) -> str:
    """Why a run of so many epochs never comes to a moment, counted from its beginning; empty when it may."""
    epoch = when.epoch if isinstance(when, At) else when.epochs if isinstance(when, In) else 0
    return f"the run ends at epoch {last:,} and never comes to {epoch:,}" if epoch > last else ""


def childless(rule: Rule, last: int) -> str:
    """Why a run of so many epochs cannot branch by a rule, counted from its beginning; empty when it may, or is not to.

    A branch has as many epochs as its parent: where that ends there is nothing left to train.
    """
    epoch = rule.when.epoch if isinstance(rule.when, At) else rule.when.epochs if isinstance(rule.when, In) else 0
    branches = any(isinstance(action, Branch) for action in rule.actions)
    return f"the run ends at epoch {last:,}, where no branch can begin" if branches and epoch >= last else ""


def hooks(actions: Iterable[Action]) -> bool:
    """Whether one of these runs the hook."""
    return any(isinstance(action, Do) and action.name == "hook" for action in actions)
