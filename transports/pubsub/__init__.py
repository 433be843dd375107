"""Google Cloud Pub/Sub: a topic and a subscription a queue, pulled, held by leases of our own."""
