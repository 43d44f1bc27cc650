import CPMLinux
import Glibc

/// Any number of descriptors behind one: they wait in the queue of a socket, so that they can be held as a single one
/// and taken out again by another process (unix(7), SCM_RIGHTS).
public struct DescriptorStash: Sendable {
    /// The descriptor to hold, and to empty.
    public let opening: SharedFD
    private let filling: SharedFD
    private static let perPacket = 30

    /// An empty bag.
    ///
    /// - Throws: `SystemError` with operation `socketpair`.
    public init() throws(SystemError) {
        var first: Int32 = -1
        var second: Int32 = -1
        _ = try valueOrNegated("socketpair", "", pm_socket_pair(.PM_SOCKET_SEQPACKET, &first, &second))
        filling = SharedFD(owning: first)
        opening = SharedFD(owning: second)
    }

    /// Puts descriptors in, in order.
    ///
    /// - Throws: `SystemError`, EAGAIN when it holds some thousands.
    public func put(_ descriptors: [SharedFD]) throws(SystemError) {
        var rest = descriptors[...]
        while !rest.isEmpty {
            let numbers = rest.prefix(Self.perPacket).map(\.raw)
            let sent = numbers.withUnsafeBufferPointer { numbers in
                withUnsafeBytes(of: UInt8(0)) { byte in
                    var piece = pm_piece(base: byte.baseAddress, size: 1)
                    return withUnsafePointer(to: &piece) { piece in
                        var packet = pm_packet(
                            pieces: piece, count: 1, fds: numbers.baseAddress, fd_count: numbers.count)
                        return pm_packet_send(filling.raw, &packet)
                    }
                }
            }
            _ = try valueOrNegated("send", "descriptors", sent)
            rest = rest.dropFirst(Self.perPacket)
        }
    }

    /// Takes everything out of a bag that was held, in order.
    ///
    /// - Throws: `SystemError`, EMFILE when this process may open no more.
    public static func empty(_ opening: SharedFD) throws(SystemError) -> [SharedFD] {
        var descriptors: [SharedFD] = []
        var numbers = [Int32](repeating: -1, count: perPacket)
        while true {
            var count = 0
            let size = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { buffer in
                numbers.withUnsafeMutableBufferPointer { numbers -> Int32 in
                    guard let space = buffer.baseAddress, let first = numbers.baseAddress else { return 0 }
                    var place = pm_packet_space(
                        buffer: space, capacity: buffer.count, fds: first, fd_capacity: numbers.count)
                    return pm_packet_receive(opening.raw, &place, &count)
                }
            }
            if size == 0 || size == -EAGAIN { return descriptors }
            _ = try valueOrNegated("receive", "descriptors", size)
            descriptors += numbers[..<count].map { SharedFD(owning: $0) }
        }
    }
}
