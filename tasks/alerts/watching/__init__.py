"""The watch: scrapes the API, evaluates the rules, and tells operators of what fires."""
