"""The `predictq models` commands."""

from workers.short_imports import shorten_imports

shorten_imports()  # before a module of this package imports scikit-learn
