"""What tutorials build: Flask, `task.delay`, a stock Celery worker that holds the model."""
