"""What Redis knows of tenants: how much was answered for each."""
