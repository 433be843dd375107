"""Amazon SQS: a standard or a FIFO queue a queue, with a dead-letter queue each, on aiobotocore.

Each request costs money and milliseconds, and takes ten messages: sending, settling and renewing are gathered
(``batching``), and each entry of an answer is accounted for, as a request may fail in part. Polls have connections of
their own and are never broken off while they may bring something (``subscription``). The lease is the visibility timeout,
renewed for all that is held; twelve hours are its end. A key is a message group on a FIFO queue (``arrivals`` keeps its
lane). The service's time is used, from its answers (``servicetime``), as the clock here may be wrong.
"""
