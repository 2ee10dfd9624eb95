"""The screens: runs and presets, one run, help, and a question."""
