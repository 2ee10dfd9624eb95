"""The numbers in the phase rules: what counts as learned, as delayed, as growing, as still. Standard library only.

`python -m scripts.phases` prints how the rules do with them on measured runs.
"""

LEARNED, LEARNING = 0.999, (0.99, 0.1)
"""Train accuracy from which the training set is learned; accuracy or loss at which it is no longer being fitted."""

SOLVED, GOOD, BAD = 0.99, 0.95, 0.9
"""Test accuracies: solved, was good, no longer good. Train accuracy below the last is a training set forgotten."""

DELAYED = 1.5
"""Test loss, in units of chance, beyond which generalization is not direct: 5.5-6.0 for data fractions from 0.5
on, 10 and more below, where chance is 4.7 (Nanda et al.'s sweep)."""

DELAY = 4.0
"""So many times the epoch at which train loss fell below 1, with test loss still above chance, is a delay too."""

PEAK_FALL = 0.005
"""Share of its peak by which test loss must have fallen before the peak is believed."""

FVE_RISE, FVE_FACTOR, FVE_PACE = 0.001, 1.4, 0.1
"""How far the leak-free share must have risen above its level at the peak, as a difference and as a ratio, and how
fast ln (share) must rise in 1/(lr x decay). In a lookup table whose logits shrink it stays where it was: 0.0014-0.0019
over two slingshots. With too little data it creeps, by 0.03; circuits began with 0.3 and more."""

EXCLUDED_FACTOR = 1.15
"""How far the key-free excluded loss must have risen above its floor."""

STABLE_NORM, STABLE_LOSS = 0.025, 1.0
"""Change of ln (sum of squared weights) and of ln (test loss) per 1/(lr x decay) that count as rest."""

STALL_EPOCHS = 3000
"""A stall is not called on fewer epochs than this, nor on fewer than 3/(lr x decay)."""

STALL_LOSS, STALL_RISE = 0.01, 0.02
"""Fall of ln (test loss) over half that window, and rise of the leak-free share over the whole, that are still a stall,
where ln (share) rises no faster than a circuit's has to."""

STALL_LEVEL = 0.1
"""A stall before a circuit is placed where ln (test loss) first came this near to where it stays."""

RESUMED = 2.0
"""So many times the pace, or the rise, of a stall end it."""

BELOW, ABOVE = 0.99, 1.25
"""Test loss, in units of chance, that is below it (knowing nothing of the test pairs is not), and above it again."""

SPIKE, SPIKE_OVER, SPIKE_EPOCHS = 10.0, 3.0, 200
"""Train loss above 10 times its median over 200 epochs is a spike, until it is back within 3 times."""

JUMP, DRIFT = 0.05, 0.25
"""Share by which a control has another value than at the last measure, or than when the windows began, so that they
begin anew. A schedule that is slower than both leaves them, as the weights follow it."""

STREAK, LONG_STREAK = 3, 5
"""Samples in a row that confirm a crossing; that confirm a state."""


MOVING = ("test_loss", "test_fve", "excluded_key_free", "sum_of_squares")
"""Measures whose slope is followed."""
