"""View models: what each page of the console shows, worked out from the state of the stack."""
