"""Amazon SQS: a standard or a FIFO queue a queue, with a dead-letter queue each, on aiobotocore.

Each request costs money and milliseconds, and takes ten messages: sending, settling and renewing are gathered
(``acknowledging``, ``publishing``), and each entry of an answer is accounted for, as a request may fail in part. Polls have
connections of their own and are never broken off while they may bring something (``polls``). The lease is the visibility
timeout, renewed for all that is held; twelve hours are its end. A key is a message group on a FIFO queue: ``arrivals``
keeps its lane, ``retries`` what waits for its next attempt in it. The service's time is used, from its answers
(``timekeeping``), as the clock here may be wrong.

The requests that are made for every ten messages go past the SDK's client (``wire``, ``sample``, ``signing``,
``answers``: some 300 lines): they take a third of its processor time. It learns from the client's own first request where to
and in which form; where it does not know that form, the client does all. What must be watched is what AWS may change
in a form that looks the same: members of the four actions (``answers``), and names of errors (``faults``).
MD5 sums are not checked, as the SDK does not: a request's body is signed, and TLS guards an answer's.
"""
