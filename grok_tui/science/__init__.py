"""Pure functions on tensors of any device, and the phase rules, which need no tensors."""
