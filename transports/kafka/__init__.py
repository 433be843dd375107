"""Kafka: a topic and a consumer group a queue, on aiokafka."""
