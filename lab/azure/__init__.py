"""The lab's Azure: Entra ID tokens and Azure Resource Manager, enforcing what Azure enforces.

A :class:`~lab.azure.cloud.Cloud` holds the state: tenants, subscriptions, delegations, resources, settings,
event hubs. The modules named after a thing (diagnostic settings, throttling, access) hold its rules and know
no HTTP. :class:`~lab.azure.front_door.FrontDoor` takes a request the way Azure does: token, API version,
throttle, permission, registration, rule. :class:`~lab.azure.server.AzureServer` serves it over TLS on
127.0.0.1, :class:`~lab.azure.in_process.InProcessTransport` to SDK clients without a socket.

Where Microsoft documents nothing, the lab takes the harsher of the likely answers, so that nothing comes to
rest on an answer Azure may not give. All times come from one virtual clock.
"""
