"""What the product's own code runs as: services that answer HTTP, and workers that do not."""

from components.workload.http_service import HttpService, HttpServiceArgs
from components.workload.pods import ProbePaths, Resources
from components.workload.worker import Worker, WorkerArgs

__all__ = ["HttpService", "HttpServiceArgs", "ProbePaths", "Resources", "Worker", "WorkerArgs"]
