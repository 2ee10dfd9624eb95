"""The viewer. The only package that imports textual, rich and plotext."""
