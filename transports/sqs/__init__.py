"""Amazon SQS: a standard or a FIFO queue for each queue, each with a dead-letter queue, on aiobotocore.

Each request costs money and milliseconds, and takes ten messages: sending, settling and renewing are gathered
(``acknowledging``, ``publishing``), and each entry of an answer is accounted for, as a request may fail in part. Polls have
connections of their own and are never broken off while they may bring something (``polls``). The lease is the visibility
timeout, renewed for all that is held, up to the service's limit of twelve hours. A key is a message group on a FIFO queue:
``arrivals`` keeps the order of its lane, and ``retries`` keeps in the lane what waits for its next attempt. Times come from
the service's answers (``timekeeping``), as the clock of this machine may be wrong.

The requests that are made for every ten messages go past the SDK's client (``wire``, ``sample``, ``signing``,
``answers``: some 300 lines), which takes a third of its processor time. Where to send them and in which form is learned
from the client's own first request; where that has an unknown form, the client makes all requests. To be watched is what AWS
may change without changing that form: members of the four actions (``answers``), and names of errors (``faults``).
MD5 sums are not checked, as the SDK does not check them either: a request's body is signed, and TLS guards an answer's.
"""
