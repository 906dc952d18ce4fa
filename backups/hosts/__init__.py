"""Several hosts: who works where, for which devices, with which version.

models.py    the rows: hosts, the queues of sites and tenants, and what all hosts have in common
queues.py    which queue a device belongs to, and which attempts are this host's
beats.py     a host says that it is there, and is asked to drain
joining.py   what has to be the same everywhere before a host may work: version, key, store
shared.py    the directory of the repositories: is it the one that the others have?
watch.py     every minute: sites without workers, hosts that fell silent
"""
