"""The trainer process: `python -m grok_tui.train RUN_DIRECTORY`. Its output is the run's log."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from pathlib import Path

from grok_tui.errors import GrokTuiError, LaunchError
from grok_tui.runs import Run
from grok_tui.train.opening import Signals, fail, open_run


def main(arguments: list[str] | None = None) -> int:
    """Train one run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--hook", default="")
    parser.add_argument("--stack", type=int, default=0, help="as in a stack of so many; by default as in the past")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal is gone; the run is not
    try:
        run = Run(chosen.run.absolute())
        with run.hold():
            return _train(run, chosen.device, chosen.threads, chosen.hook, chosen.stack)
    except GrokTuiError as error:
        print(f"grok-tui: {error}", flush=True)
        return error.exit_code


def _train(run: Run, device: str, threads: int | None, hook: str, stack: int) -> int:
    session, signals = None, Signals()
    try:
        session = open_run(run, device, threads, hook, stack=stack)
        signals.reach(session)
        try:
            print(f"{session.train()} at epoch {session.epoch}", flush=True)
        except Exception as error:  # whatever it is: the recording and the viewers must hear that the run has failed
            fail(session, error)
            raise
        return 0
    except GrokTuiError:
        raise
    except Exception as error:  # the process ends here: who started it reads one line, the log has the rest
        traceback.print_exc()
        raise LaunchError(f"{type(error).__name__}: {error}") from None
    finally:
        if session is not None:
            session.journal.close()


if __name__ == "__main__":
    sys.exit(main())
