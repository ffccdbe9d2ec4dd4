"""Rows as callers hold them, turned into what JSON can say."""
