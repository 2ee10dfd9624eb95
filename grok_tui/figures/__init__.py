"""A recording as figures for print, drawn with matplotlib: the only package that imports it."""
