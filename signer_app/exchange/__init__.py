"""Between the store and the document servers: packets out, packets in, enrolment, the directory of organisations.

Main process. `signer_sync` knows the wire, `signer_app.store` the tables; here they meet.
"""
