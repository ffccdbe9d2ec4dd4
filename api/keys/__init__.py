"""Keys over HTTP: create, list, show, rotate, revoke."""
