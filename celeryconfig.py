"""Every Celery setting, each with the reason for its value."""

import os

from kombu import Exchange, Queue

from tasks import broker

_redis_url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
broker_url = broker.celery_url(_redis_url)
# Outcomes go through our ledger (first writer wins), in a form that a stock AsyncResult reads.
result_backend = broker.backend_url(_redis_url, "tasks.ledger.backend:LedgerBackend")

# Messages are data, never code: no pickle in, no pickle out.
accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"

# Two lanes, so that a file being scored never stands before a single prediction.
task_queues = (
    Queue("predict", Exchange("predict"), routing_key="predict"),
    Queue("bulk", Exchange("bulk"), routing_key="bulk"),
)
task_default_queue = "predict"
# A misspelt queue must fail at once, not collect messages that nobody reads.
task_create_missing_queues = False

broker_transport_options = {
    # Workers keep what they hold, and look for the work of the dead, so often: a fraction of the
    # shortest visibility timeout that makes sense (2 s).
    "unacked_restore_interval": 0.5,
    # A frozen Redis must not hang a process for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    # One list a queue: LLEN is the backlog.
    "priority_steps": [0],
    # Room for as many replies to `inspect` as a pool has processes.
    "max_connections": 20,
}
result_backend_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 2}
redis_socket_timeout = 5
redis_socket_connect_timeout = 2
redis_retry_on_timeout = False

# Workers outlive Redis: they try again for ever, at start-up too.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# What runs when the connection is lost goes on: its process settles it.
worker_cancel_long_running_tasks_on_connection_loss = False

# Flower shows received, started, succeeded and failed for each id.
worker_send_task_events = True
# The sent event would cost every submission a round trip and says nothing the record does not.
task_send_sent_event = False
# The ledger owns the time to live of outcomes; Celery's clean-up task has nothing to do.
result_expires = None

# Our log format is set up by telemetry; Celery must not replace it.
worker_hijack_root_logger = False
worker_redirect_stdouts = False
# Remote control answers within a heartbeat; its queues vanish with the worker.
control_queue_expires = 60.0
timezone = "UTC"
enable_utc = True
