"""SQS as the composition root knows it: one connection for a process, its queues, and the checks at start."""

from iraas.queues.sqs_check import check_queue
from iraas.queues.sqs_connection import SqsConnection
from iraas.queues.sqs_queue import SqsQueue
from iraas.queues.sqs_responses import SqsResponseQueues

__all__ = ["SqsConnection", "SqsQueue", "SqsResponseQueues", "check_queue"]
