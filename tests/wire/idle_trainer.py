"""Stands in for the trainer in the tests of launching: `python -m tests.wire.idle_trainer MODE RUN ...`."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.wire.wiring import Trainer, hello


def main(mode: str, path: str) -> int:
    run = Run(Path(path))
    match mode:
        case "refuse":
            print("warming up\n")
            print("grok-tui: --device cuda: no such device\n\n")
            return 3
        case "mute":
            return 4
        case "crash":
            raise RuntimeError("out of memory")
        case "die":
            signal.raise_signal(signal.SIGKILL)
        case "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("importing", flush=True)
            time.sleep(60)
        case "quick":
            Trainer(run).close()
        case "late":
            recorder = Recorder(run.frames)
            recorder.append(hello(run.name))
            recorder.close()
            print("the disk is full")
            return 1
        case "serve":
            trainer = Trainer(run)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            while True:
                trainer.server.wait(1)
                trainer.answer()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
