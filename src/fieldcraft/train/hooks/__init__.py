"""What listens to training: logs, progress, TensorBoard. A hook never changes what is computed."""
