"""Computes one microbatch in a pool process: checks, model calls, settlement."""
