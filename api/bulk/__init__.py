"""Many predictions in one request, each accepted or refused by itself."""
