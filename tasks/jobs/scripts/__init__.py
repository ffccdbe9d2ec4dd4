"""The Lua scripts of batch jobs; `tasks.ledger.scripts.load` names them `jobs.<name>`."""
