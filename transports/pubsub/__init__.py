"""Google Cloud Pub/Sub: a topic and a subscription a queue, pulled, held by leases of our own.

The client's generated classes are used for what happens once (``topology``); what happens a message goes over its own
channel as plain protobuf (``wire``), at half the processor time. One pull a consumer is open until something comes
(``pulling``) and never broken off: that would hide what is on its way until its lease ends. The worker
renews the leases of all that it holds (``settling``). The service hands out several messages of a key at once, so ``lanes`` let
one through. Delays it has none: they are parked in the database.
"""
