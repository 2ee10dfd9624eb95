"""A lab bench for grokking in the terminal (the phenomenon of Power et al. 2022, not xAI's Grok)."""

__version__ = "0.1.0"
