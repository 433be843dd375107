"""Kafka: a topic and a consumer group for each queue, on aiokafka.

A process is one ``member`` of a group and reads its partitions ahead into windows (``window``), from which its slots take
messages in any order (``windows``). A commit never passes unfinished work, and what is done beyond it stands in the commit's
metadata (``progress``), so that a crash repeats only what was unfinished. Delayed messages wait in topics of their own, a
retry is a copy. Batches of records are put together here (``publishing``), and records are read as the driver's parser
makes them (``driver``): aiokafka's object for each record would cost more than the rest of the worker. Brokers do not
know single messages, hold no lease and count no deaths: sessions (``session``) and the database make up for that.
"""
