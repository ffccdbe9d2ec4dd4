"""The baseline of tutorials: Flask, `task.delay`, a stock Celery worker with the model."""
