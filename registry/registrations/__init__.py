"""Models that were uploaded, until the gate has decided on them."""
