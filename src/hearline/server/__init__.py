"""The service: sockets and HTTP around the scheduler, one process."""
