"""Every Celery setting, each with the reason for its value."""

from kombu import Exchange, Queue

from tasks import broker, settings

_redis_url = settings.redis_url()
broker_url = broker.celery_url(_redis_url)
# Outcomes go through the ledger (the first writer wins) in a form that a stock AsyncResult reads.
result_backend = broker.backend_url(_redis_url, "tasks.ledger.backend:LedgerBackend")

# Messages are data, never code: no pickle in, no pickle out.
accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"

# Two queues: a file that is scored on `bulk` never delays a single prediction on `predict`.
task_queues = (
    Queue("predict", Exchange("predict"), routing_key="predict"),
    Queue("bulk", Exchange("bulk"), routing_key="bulk"),
)
task_default_queue = "predict"
# A misspelt queue name must fail at once: no worker would consume a queue of that name.
task_create_missing_queues = False

broker_transport_options = {
    # Seconds between two upkeeps: a worker extends its reservations and returns those of dead
    # workers. A fraction of the shortest visibility timeout allowed (2 s).
    "unacked_restore_interval": 0.5,
    # A frozen Redis must not block a process forever.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    # One Redis list for all priorities of a queue.
    "priority_steps": [0],
    # Enough connections to answer `inspect` from every pool process.
    "max_connections": 20,
}
result_backend_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 2}
redis_socket_timeout = 5
redis_socket_connect_timeout = 2
redis_retry_on_timeout = False

# Workers outlive Redis: they reconnect forever, at start-up too.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# A lost connection does not cancel running computations; they settle once Redis is back.
worker_cancel_long_running_tasks_on_connection_loss = False

# Flower needs these events to show each id as received, started, succeeded or failed.
worker_send_task_events = True
# A sent event would cost each submission a round trip and adds nothing to the record.
task_send_sent_event = False
# The ledger sets the time to live of outcomes, so Celery's clean-up task has nothing to do.
result_expires = None

# Telemetry sets up the log format; Celery must not replace it.
worker_hijack_root_logger = False
worker_redirect_stdouts = False
# Remote control replies within a heartbeat; its queues expire soon after the worker ends.
control_queue_expires = 60.0
timezone = "UTC"
enable_utc = True
