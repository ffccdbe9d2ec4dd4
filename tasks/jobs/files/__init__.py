"""The files of batch jobs: where they may lie, how they are named, how much disk they may take."""
