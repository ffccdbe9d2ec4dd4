"""The routes of hand-written Flask services, over those of predictq, for scripts that have them."""
