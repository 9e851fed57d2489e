"""From an answer to the person: turns, messages sent, typing, and what became of it all.

webhook ──► incoming ──► turn ◄── hops (queues, threads, loops)
                          ▲
           send, typing ──┘        one span each, folded into the turn's figures
             │
             ▼
           store ◄── receipts ◄── statuses, from the channel's webhooks
"""
