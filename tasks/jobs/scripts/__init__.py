"""The Lua scripts of jobs; `tasks.ledger.scripts.load` calls them `jobs.<name>`."""
