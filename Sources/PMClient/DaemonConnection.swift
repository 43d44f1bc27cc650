import Glibc
import JSONRPC
import PMSystem

/// A socket that carries lines: writes them whole, reads them one by one, and waits no longer than its deadline.
final class DaemonConnection {
    /// An event of the connection.
    enum Arrival {
        /// A line; its bytes were given to the caller's closure.
        case line
        /// The other side has closed.
        case end
        /// The other descriptor became readable.
        case interrupted
        /// The deadline is over.
        case late
    }

    private let socket: SharedFD
    private var framer = LineFramer()

    init(_ socket: SharedFD) throws(SystemError) {
        try setNonBlocking(socket.raw)
        self.socket = socket
    }

    var descriptor: Int32 { socket.raw }

    /// Writes all bytes; false when the deadline is over before. Throws a `SystemError`, EPIPE when nobody reads.
    func write(_ bytes: [UInt8], _ deadline: Deadline) throws(SystemError) -> Bool {
        var done = 0
        while done < bytes.count {
            // MSG_NOSIGNAL: a daemon that went away is an error to report, not a signal that ends us silently.
            let count = bytes.withUnsafeBytes {
                send(socket.raw, $0.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                if waitFor([(socket.raw, Int32(POLLOUT))], deadline) == nil { return false }
            } else if errno != EINTR {
                throw .last("write", "socket")
            }
        }
        return true
    }

    /// Gives the next line to `body`, waiting for it as long as allowed, or until `interrupt` is readable.
    func nextLine(
        _ deadline: Deadline, interrupt: Int32? = nil, _ body: (UnsafeRawBufferPointer) throws(ClientError) -> Void
    ) throws(ClientError) -> Arrival {
        while true {
            if let line = try lineAtHand() {
                try body(line)
                return .line
            }
            switch receive() {
            case .some(0): return .end
            case .some: continue
            case nil: break
            }
            var set = [(socket.raw, Int32(POLLIN))]
            if let interrupt { set.append((interrupt, Int32(POLLIN))) }
            switch waitFor(set, deadline) {
            case nil: return .late
            case 0: continue
            case .some: return .interrupted
            }
        }
    }

    private func lineAtHand() throws(ClientError) -> UnsafeRawBufferPointer? {
        do {
            return try framer.nextLine()
        } catch {
            throw .garbled("\(error)")
        }
    }

    /// Reads what is there: 0 at the end of the stream, nil when nothing is there yet.
    private func receive() -> Int? {
        var failed = false
        let count = framer.withFreeSpace { space in
            let count = recv(socket.raw, space.baseAddress, space.count, 0)
            // ECONNRESET: the other side died with our bytes unread, which for us is the end of the stream.
            if count < 0 && errno != EAGAIN && errno != EINTR { return 0 }
            failed = count < 0
            return max(0, count)
        }
        return failed ? nil : count
    }
}
