"""A million queued predictions: what each costs, and the memory that they take."""
