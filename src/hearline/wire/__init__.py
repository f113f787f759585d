"""The task protocol without input or output: messages, parameters and the two machines.

Floor 2. Knows JSON and the order of a conversation; refuses to know sockets, clocks and threads.
The reference is DashScope's public protocol; "spec" in this package means its sections as
`docs/protocol.md` numbers them.
"""
