"""What leaves a process: Socket.IO emits, notices to the other processes, jobs."""
