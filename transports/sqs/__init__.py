"""Amazon SQS: a standard or a FIFO queue a queue, with a dead-letter queue each, on aiobotocore."""
