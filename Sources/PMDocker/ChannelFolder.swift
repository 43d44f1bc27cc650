import Glibc
import PMSystem

/// A folder for sockets that one container sees: one for this user alone, and in it one that anybody may use who sees it.
struct ChannelFolder: Equatable, Sendable {
    /// The folder that only this user can look into.
    let outer: String
    /// The folder that the container sees.
    var inner: String { outer + "/c" }
    private static let start = "pm-docker."

    /// The sockets in the folder.
    enum Socket: String, CaseIterable {
        /// The channel of a commandable unit.
        case channel
        /// The way to other services.
        case daemon = "pm.sock"
    }

    /// Makes the folders.
    ///
    /// - Throws: `SystemError`.
    init(below directory: String) throws(SystemError) {
        var template = Array((directory + "/" + Self.start + "XXXXXX").utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { text in
            text.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        guard isMade else { throw .last("mkdtemp", directory) }
        outer = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The container may run as any user; who does not see the folder does not reach what is in it.
        guard mkdir(inner, 0o755) == 0, chmod(inner, 0o755) == 0 else { throw .last("mkdir", inner) }
    }

    /// Those that a label names; nil when it names no such folder.
    init?(inner: String) {
        let parts = inner.split(separator: "/")
        guard inner.hasPrefix("/"), inner.hasSuffix("/c"), parts.count > 2,
            parts[parts.count - 2].hasPrefix(Self.start)
        else { return nil }
        outer = String(inner.dropLast(2))
    }

    /// The path of a socket.
    func path(of socket: Socket) -> String { inner + "/" + socket.rawValue }

    /// Removes them with the sockets, as far as they are there.
    func remove() {
        // What is not there is what is wanted; the rest is removed with the folder above.
        for socket in Socket.allCases { unlink(path(of: socket)) }
        rmdir(inner)
        rmdir(outer)
    }
}
