"""The watch as a program: it looks regularly, and notifies by apprise, which only the API has."""
