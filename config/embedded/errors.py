"""What can be said when the embedded servers are missing or cannot run. Every text tells what to do next."""

NOT_RUNNING = (
    "No database and broker: DATABASE_URL or REDIS_URL is not set and the embedded servers do not run. "
    "Set both (postgresql://user:password@host/name and redis://host:6379/0), or start the embedded ones: "
    "python manage.py embedded start"
)


class EmbeddedError(RuntimeError):
    """An embedded server cannot be started or stopped; the text is meant for the person at the terminal."""
