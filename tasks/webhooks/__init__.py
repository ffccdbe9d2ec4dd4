"""Events for webhooks: recorded with the outcome, and kept in Redis until they are delivered."""
