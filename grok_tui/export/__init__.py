"""A run's numbers in the formats of other programs. No torch; packages of a format are loaded when it is asked for."""
