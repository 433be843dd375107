"""Google Cloud Pub/Sub: a topic and a subscription for each queue, pulled, with leases that the worker renews.

Requests and answers are plain protobuf (``wire``) over gRPC channels (``link``), without the client's wrappers, at half
the processor time. Each consumer has one pull open until something comes (``pulling``), and never breaks it off: messages
that are on their way would then be hidden until their lease ends. The worker renews the leases of all that it holds
(``settling``). The service hands out several messages of a key at once, so ``lanes`` let one of them through. Pub/Sub has
no delays: delayed messages are parked in the database.
"""
