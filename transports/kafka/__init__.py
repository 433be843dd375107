"""Kafka: a topic and a consumer group a queue, on aiokafka.

A process is one ``member`` of a group and reads its partitions ahead into ``window`` s, from which slots take messages in any
order (``windows``); a commit never passes unfinished work, and what is done beyond it stands in the commit's metadata
(``progress``), so that a crash repeats only what was unfinished. Delays wait in topics of their own, a retry is a copy.
Batches of records are put together here (``publishing``) and read as the driver's parser makes them (``driver``), as
aiokafka's object a record costs more than the rest of the worker. Brokers know of no single message, hold no lease and
count no deaths: sessions (``session``) and the database make up for that.
"""
