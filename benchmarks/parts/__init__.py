"""The parts of the suite: what each measures, beside the baselines, in one run."""
