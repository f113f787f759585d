"""The SDK: recognition over any server that speaks the task protocol."""
