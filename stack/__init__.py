"""The processes of a stack on one machine: started, watched, replaced and ended."""
