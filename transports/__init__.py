"""Brokers: one folder each, all behind the contract in ``worker.messaging.transport``.

A file of the same name does the same in each folder; a folder leaves out what its broker has no use for:

================== ====================================================================================================
``settings``       what was configured, read from the address and the table of a transport
``features``       what the transport can do, as data
``names``          what a queue of the application is called at the broker
``transport``      the contract's face: puts the others together
``connection``     driver in, our errors out; ``link``: a connection for one kind of work
``faults``         the driver's errors, told apart and named in our words
``wire``           what goes past the driver where it costs too much; ``driver``: a driver's inner parts
``topology``       what stands behind a queue: made, looked for, compared; ``schema`` where that is tables
``administration`` a connection to set queues up and to look at them, where that is another one
``publishing``     brings messages in; ``encoding``: messages as the broker carries them
``subscription``   a consumer's hold on one queue, as the contract has it
``holding``        claims, settlements and longer holds of one queue, under ``transports.subscription``
``claiming``       hands messages out; ``polls``, ``pulling``, ``polling``: asks for them, named as the broker names it
``arrivals``       reads what came; ``prefetched``: what came and was not received yet
``lanes``          of the messages of one key only the first is handed out
``receipt``        what settles a delivery
``settling``       what becomes of deliveries; ``acknowledging``: tells the broker so, many in one request
``counting``       how much waits; ``finding``: looks messages up by their id
``timekeeping``    the broker's time, whatever the clock of this machine is
================== ====================================================================================================
"""
