"""Stand-ins for controllers that need a cloud or disks, each named for what it stands in for.

They make nothing real: they answer in the cluster's API as those controllers would, so that what
waits for them goes on.
"""
