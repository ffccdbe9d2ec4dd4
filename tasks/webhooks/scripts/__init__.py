"""The Lua scripts of webhooks."""
