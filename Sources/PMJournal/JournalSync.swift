import Glibc
import PMSystem

/// Asks journald to write down what it has been given already, as `journalctl --sync` does.
enum JournalSync {
    private static let path = "/run/systemd/journal/io.systemd.journal"
    private static let timeoutMilliseconds: Int32 = 500
    private static let call = #"{"method":"io.systemd.Journal.Synchronize"}"#

    /// Waits until it has, half a second at most. A journald that cannot be asked (by who is not root) has had its time.
    static func wait() {
        do throws(SystemError) {
            let socket = try UnixSocket.connect(path)
            try Files.write(Array(call.utf8) + [0], to: socket.raw, named: path)
            var entry = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, timeoutMilliseconds)
        } catch {
            // An ordinary user may not ask; what can be read is read.
        }
    }
}
