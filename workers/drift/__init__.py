"""Counts how the rows and answers of versions are spread, for drift; samples them alike."""
