"""Tests of predictq. A package, since one that is installed calls its own tests the same."""
