"""The trainer: the process that runs the experiment, writes its recording and serves it."""
