import CPMLinux
import Glibc

/// A socket for the messages of sd_notify(3), under an abstract name that the kernel chose: no file is left behind.
public struct NotifySocket: Sendable {
    /// A message and who sent it, by the kernel's word.
    public struct Message: Equatable, Sendable {
        /// `NAME=value` lines.
        public let fields: [String]
        /// The sender.
        public let sender: PeerCredentials
    }

    /// The socket.
    public let descriptor: SharedFD
    /// What NOTIFY_SOCKET is to hold.
    public let name: String

    /// Binds a socket.
    ///
    /// - Throws: `SystemError` with operation `bind`.
    public static func bind() throws(SystemError) -> NotifySocket {
        var name = [CChar](repeating: 0, count: Int(PM_NOTIFY_NAME_SIZE))
        let number = try valueOrNegated("bind", "notify socket", pm_notify_bind(&name))
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return NotifySocket(descriptor: SharedFD(owning: number), name: text)
    }

    /// Receives from a bound socket; nil when no message waits. One that is too long has no fields.
    public static func receive(_ descriptor: Int32) -> Message? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var sender = pm_peer()
        while true {
            let count = pm_notify_receive(descriptor, &buffer, buffer.count, &sender)
            if count == -EINTR { continue }
            guard count >= 0 || count == -EMSGSIZE else { return nil }
            let text = String(decoding: buffer[..<max(0, Int(count))], as: UTF8.self)
            return Message(
                fields: text.split(separator: "\n").map(String.init),
                sender: PeerCredentials(pid: sender.pid, user: sender.uid, group: sender.gid))
        }
    }
}
