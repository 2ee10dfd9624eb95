"""What the trainer says: recorded first, then told to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from grok_tui.ledger import Ledger
from grok_tui.protocol import Array, Event, Reply, Status, Stored
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.train.serve import Server, Ticket


class Journal:
    """The recording, the ledger and the viewers' link, in the order that loses nothing.

    A ledger line is on disk before its change acts; a frame is in the recording before a viewer has it.
    """

    def __init__(self, run: Run) -> None:
        self.ledger = Ledger(run.ledger)
        self.recorder = Recorder(run.frames)
        self.server: Server | None = None

    def write(self, frame: Stored) -> None:
        """Record a frame and send it to the viewers.

        Raises:
            RecordError: the disk would not take it.
        """
        recorded = self.recorder.append(frame)
        if self.server:
            self.server.publish(recorded)

    def arrays(self, epoch: int, found: Mapping[str, NDArray[Any]], keys: list[int]) -> list[int]:
        """Record the arrays of a look, the key frequencies only where they are not `keys`; returns what they are."""
        for name, values in found.items():
            if name == "key_frequencies":
                if values.tolist() == keys:
                    continue
                keys = values.tolist()
            self.write(Array(epoch, name, values))
        return keys

    def event(self, epoch: int, what: str, text: str, seq: int = 0, **data: Any) -> None:
        """Record that something happened."""
        self.write(Event(epoch, what, text, time.time(), seq, data))

    def intervention(self, epoch: int, what: str, text: str, **data: Any) -> None:
        """Record something that a command did: in the ledger, then as an event."""
        self.recorder.sync()  # the ledger is on the disk at once: the recording must not be behind it
        seq = self.ledger.append(epoch, what, True, text, **data)
        self.event(epoch, what, text, seq, **data)

    def answer(self, ticket: Ticket, reply: Reply) -> None:
        """Answer one command; a refusal is kept in the ledger."""
        if self.server:
            self.server.reply(ticket, reply)

    def refuse(self, ticket: Ticket, epoch: int, id_: int, what: str, reason: str) -> None:
        """Answer a command with why it was not carried out, and keep that in the ledger."""
        self.ledger.append(epoch, what, False, reason)
        self.answer(ticket, Reply(id_, False, epoch, reason))

    def status(self, epoch: int, state: str, rate: float, controls: dict[str, float], limit: float = 0.0) -> None:
        """Tell the viewers how the run stands."""
        if self.server:
            self.server.status(Status(epoch, state, rate, controls, self.recorder.position, limit))

    def close(self) -> None:
        """Close the files, and the link once the viewers have what is on its way."""
        if self.server:
            self.server.close()
        self.recorder.close()
        self.ledger.close()
