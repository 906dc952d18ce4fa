"""A database backend that brings its own PostgreSQL server.

Used when no ``DATABASE_URL`` is given. The entry in ``DATABASES`` understands these keys:

``ENGINE``
    ``"config.embedded_postgres"``.
``NAME``
    ``"netcairn"``: the one database that the backend creates by itself.
``VAR``
    The directory under which everything is kept, as ``<VAR>/postgres`` (a ``Path`` or a string).
``DURABLE``
    Optional, ``True`` unless said otherwise. ``False`` turns off every wait for the disk: for tests only, because a
    power cut then destroys the whole cluster.
``LINGER``
    Optional, seconds (default 2) that the server outlives its last user.

``HOST``, ``PORT``, ``USER``, ``PASSWORD`` are not read. ``OPTIONS["pool"]`` must not be set: connection pools break
in the forked processes of the queue workers.

Nothing is started before the first real connection, so ``manage.py help`` and ``manage.py check`` stay cheap.
The server stops by itself when the last process that used it has ended, however it ended;
``NETCAIRN_PG_KEEP=1`` in the environment leaves it running.
"""
