internal import CPMLinux

/// Several descriptors as one to wait for (epoll(7)), for programs without a loop.
public struct WaitGroup: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    /// Waits for input at descriptors, which have to stay open as long.
    ///
    /// - Throws: `SystemError` with operation `epoll_create1` or `epoll_ctl`.
    public init(_ members: [Int32]) throws(SystemError) {
        let epoll = OwnedFD(owning: try valueOrNegated("epoll_create1", "", pm_epoll_create()))
        for member in members {
            _ = try valueOrNegated(
                "epoll_ctl", "descriptor \(member)",
                pm_epoll_add(epoll.raw, member, Events.readable.rawValue, UInt64(member)))
        }
        descriptor = epoll
    }

    /// The number to poll: it is readable when a member is.
    public var raw: Int32 { descriptor.raw }
}
