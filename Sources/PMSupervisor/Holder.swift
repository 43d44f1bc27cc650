public import PMSystem

/// The process that holds the children, as the daemon sees it.
@PMActor
public final class Holder {
    /// The way to it.
    public let channel: InitChannel
    private var lastChild: UInt64 = 0

    /// Takes the way to the holder.
    public init(_ channel: InitChannel) {
        self.channel = channel
    }

    /// A number for a new child; no child that the holder knows has it.
    func nextChild() -> UInt64 {
        lastChild += 1
        return lastChild
    }

    /// Numbers up to this one are taken by children of an earlier daemon.
    func reserve(upTo child: UInt64) {
        lastChild = max(lastChild, child)
    }
}
