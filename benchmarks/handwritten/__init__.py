"""The least that answers: two Redis commands each way, nothing checked, nothing kept safe."""
