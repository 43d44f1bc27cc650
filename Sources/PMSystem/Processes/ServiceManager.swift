internal import Glibc

/// The service manager that started this process, for those who are a service of it (sd_notify(3)). Services of pm are
/// told apart from it by pm-init, which speaks for pmd.
public enum ServiceManager {
    /// Address of the service manager, from NOTIFY_SOCKET; nil when there is none.
    public static var address: String? {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), path.utf8.count > 1 else { return nil }
        return path.hasPrefix("/") || path.hasPrefix("@") ? path : nil
    }

    /// Tells it lines like `READY=1`; nothing happens when there is nobody.
    ///
    /// - Throws: `SystemError` with operation `notify`.
    public static func tell(_ lines: [String]) throws(SystemError) {
        guard let path = address else { return }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: target.sun_path) else {
            throw SystemError("notify", path, code: ENAMETOOLONG)
        }
        // An abstract name begins with a zero byte (unix(7)).
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = OwnedFD(owning: try valueOrError("notify", path) { Glibc.socket(AF_UNIX, kind, 0) })
        let text = Array(lines.joined(separator: "\n").utf8)
        _ = try valueOrError("notify", path) {
            withUnsafePointer(to: &target) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(socket.raw, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
                }
            }
        }
    }
}
