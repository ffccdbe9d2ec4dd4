"""The files of batch jobs: file references, allowed paths, formats, disk usage."""
