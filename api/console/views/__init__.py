"""The views of the console: what each address answers, and what its forms do."""
