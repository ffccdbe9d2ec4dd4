"""Formats of libraries other than scikit-learn, which save models in files of their own."""
